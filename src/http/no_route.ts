/** What no route answered: another method (405 with Allow), or no such page (404). RFC 9110 §15.5.5–15.5.6. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { newId } from '../secrets.js';
import { render } from './render.js';

/** `methodsOf` gives the methods that the routes of a path know. */
export function methodNotAllowed(methodsOf: (path: string) => readonly string[]): Middleware {
  return async (ctx, next) => {
    const methods = [...new Set(methodsOf(ctx.path))];
    if (methods.length === 0) return next();
    ctx.status = 405;
    ctx.set('Allow', methods.join(', '));
    ctx.set('Cache-Control', 'no-store');
    ctx.body = 'This address does not answer that method.\n';
  };
}

export function notFound({ config, log }: Pick<Deps, 'config' | 'log'>): Middleware {
  return (ctx) => {
    const error_id = newId();
    log.info({ error_id, path: ctx.path }, 'no such page');
    const data = {
      heading: 'errors.no_page' as const,
      message: 'errors.no_page_why',
      description: null,
      advice: null,
      error_id,
      detail: null,
      home_uri: `${config.base}/`,
    };
    render(ctx, config, { view: 'error', title: data.heading, status: 404, data });
  };
}
