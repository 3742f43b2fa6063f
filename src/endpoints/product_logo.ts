/** GET /logo: the operator's own logo, as it was set. Its address changes with it. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { document } from '../http/answer.js';
import { digest } from '../secrets.js';

export function productLogo(deps: Pick<Deps, 'caches'>): Middleware {
  return async (ctx) => {
    const { logo } = await deps.caches.brand();
    if (logo === undefined) {
      ctx.status = 404;
      ctx.body = 'There is no logo.\n';
      return;
    }
    const etag = `"${digest(logo.data).slice(0, 22)}"`;
    document(ctx, Buffer.from(logo.data, 'base64'), etag, { type: logo.type, max_age: 86_400 });
  };
}
