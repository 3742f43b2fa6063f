/** Styles, scripts and pictures of our own pages, GET /assets/:name. Their URLs change with their content. */
import type { RouterContext } from '@koa/router';
import { document } from '../http/answer.js';
import { assets } from '../http/render.js';

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

export function asset(ctx: RouterContext): void {
  const name = ctx.params.name ?? '';
  const found = assets.get(name);
  const type = types[name.split('.').at(-1) ?? ''];
  if (found === undefined || type === undefined) {
    ctx.status = 404;
    ctx.body = 'There is no such file.\n';
    return;
  }
  document(ctx, found.body, found.etag, { type, max_age: 31_536_000 });
}
