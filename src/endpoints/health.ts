/** GET /healthz: the process answers. GET /readyz: its database does, too. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { json } from '../http/answer.js';
import * as setup from '../store/setup.js';

export const healthz: Middleware = (ctx) => {
  ctx.set('Cache-Control', 'no-store');
  json(ctx, { status: 'ok' });
};

export function readyz(deps: Pick<Deps, 'db' | 'log'>): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    try {
      await setup.find(deps.db);
      json(ctx, { status: 'ok' });
    } catch (err) {
      deps.log.error({ err }, 'the database does not answer'); // told by status: nobody reads an error text here
      json(ctx, { status: 'unavailable' }, 503);
    }
  };
}
