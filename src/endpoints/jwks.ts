/** JWK Set, GET /jwks. RFC 7517 §5; OpenID Connect Core §10.1.1. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { document } from '../http/answer.js';

export function jwks(deps: Pick<Deps, 'clock' | 'config' | 'keys'>): Middleware {
  return async (ctx) => {
    const { body, etag } = (await deps.keys.get()).published(deps.clock());
    document(ctx, body, etag, { type: 'application/json', max_age: deps.config.JWKS_MAX_AGE_SECONDS });
  };
}
