/** The error codes and what to do about each, GET /errors: where error_uri of every error answer leads. Decisions 28. */
import type { Middleware } from 'koa';
import { type PageConfig, render } from '../http/render.js';
import { errorCodes } from '../oauth/error_codes.js';

const entries = Object.entries(errorCodes).map(([code, entry]) => ({ code, ...entry }));

export function errors(config: PageConfig): Middleware {
  return (ctx) => render(ctx, config, { view: 'errors', title: 'errors.codes_title', data: { entries } });
}
