/** What a line of the table of routes is (app.ts), and what every page has. */
import type { RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { branded } from '../http/brand.js';
import { pageErrors } from '../http/errors.js';
import { pageHeaders } from '../http/headers.js';

type Guard = (ctx: RouterContext, next: () => Promise<void>) => unknown;

/** One line of the table: the methods, the path, the guards and the handler. */
export interface Route {
  readonly methods: readonly string[];
  readonly path: string;
  readonly handlers: readonly (Middleware | Guard)[];
}

const routeOf =
  (method: string) =>
  (path: string, ...handlers: Route['handlers']): Route => ({ methods: [method], path, handlers });

export const get = routeOf('GET');
export const post = routeOf('POST');
export const preflight = routeOf('OPTIONS');

/** The guards of every page: its headers, the operator's look, and errors as pages. */
export function pageGuards(deps: Deps): Route['handlers'] {
  return [pageHeaders, branded(deps), pageErrors(deps)];
}
