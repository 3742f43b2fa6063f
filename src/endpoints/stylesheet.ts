/**
 * GET /style.css: the style sheet of pages with an accent colour, which its address names. Anybody may name one: it must be a colour that
 * can be read, and nothing else of the address is put into the sheet.
 */
import type { Middleware } from 'koa';
import { type Accent, isColour, isReadable } from '../branding/colour.js';
import { accentRules } from '../branding/stylesheet.js';
import { document } from '../http/answer.js';
import { readQuery } from '../http/read.js';
import { assets } from '../http/render.js';
import type { Params } from '../oauth/params.js';
import { digest } from '../secrets.js';

export const stylesheet: Middleware = (ctx) => {
  const accent = readAccent(readQuery(ctx));
  const ours = assets.get('style.css');
  if (accent === null || ours === undefined) {
    ctx.status = 404;
    ctx.body = 'There is no such style sheet.\n';
    return;
  }
  const rules = accentRules(accent);
  const etag = `"${digest(`${ours.etag} ${rules}`).slice(0, 22)}"`;
  const body = Buffer.concat([ours.body, Buffer.from(`\n${rules}\n`)]);
  document(ctx, body, etag, { type: 'text/css; charset=utf-8', max_age: 31_536_000 });
};

function readAccent(params: Params): Accent | null {
  const light = `#${params.get('accent') ?? ''}`;
  const dark = params.get('dark');
  if (!isColour(light) || !isReadable(light, 'light')) return null;
  if (dark === undefined) return { light, dark: null };
  return isColour(`#${dark}`) && isReadable(`#${dark}`, 'dark') ? { light, dark: `#${dark}` } : null;
}
