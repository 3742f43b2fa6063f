/** GET /healthz: the process answers. GET /readyz: its database does, too, within three seconds. */
import { setTimeout as pause } from 'node:timers/promises';
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
      await withinTime(setup.find(deps.db));
      json(ctx, { status: 'ok' });
    } catch (err) {
      deps.log.error({ err }, 'the database does not answer'); // told by status: nobody reads an error text here
      json(ctx, { status: 'unavailable' }, 503);
    }
  };
}

const patience_ms = 3000;

/** Throws where it is not done in time. */
async function withinTime(work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const late = async () => {
    await pause(patience_ms, undefined, { signal: done.signal, ref: false });
    throw new Error(`no answer for ${patience_ms} ms`);
  };
  await Promise.race([work, late()]).finally(() => done.abort());
}
