/** Guards that stand in front of handlers in app.ts. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { newId } from '../secrets.js';
import { logFault } from './errors.js';

/** The outermost one: whatever escapes every other place is logged and answered in one line of plain text. */
export function lastResort(deps: Pick<Deps, 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const error_id = newId();
      logFault(deps, ctx, error, error_id);
      ctx.status = 500;
      ctx.body = `Something went wrong here. Error id: ${error_id}\n`;
    }
  };
}

/** Refuses a request target whose path koa cannot read (`http://[`): every later use of it would throw. RFC 9112 §3.2. */
export const readableTarget: Middleware = (ctx, next) => {
  if (isReadable(ctx)) return next();
  ctx.status = 400;
  ctx.body = 'This address cannot be read.\n';
  return undefined;
};

function isReadable(ctx: Context): boolean {
  try {
    return ctx.path !== '';
  } catch {
    return false; // node:url says so by throwing
  }
}

/** Logs each request at level debug: method, path without its query, status, milliseconds. */
export function requestLog(deps: Pick<Deps, 'config' | 'log'>): Middleware | null {
  if (deps.config.LOG_LEVEL !== 'debug') return null;
  return async (ctx, next) => {
    const started = performance.now();
    await next();
    const ms = Math.round((performance.now() - started) * 10) / 10;
    deps.log.debug({ method: ctx.method, path: ctx.path, status: ctx.status, ms }, 'request');
  };
}
