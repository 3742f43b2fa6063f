/** Renders views/*.ejs. A view gets a plain object; templates are compiled once. Styles and scripts are our own files alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { digest } from '../secrets.js';

const views = fileURLToPath(new URL('../../views/', import.meta.url));
const assetsFolder = `${views}assets/`;

export interface Asset {
  readonly body: Buffer;
  readonly etag: string;
}

/** The files that pages refer to, by name. Read once. */
export const assets: ReadonlyMap<string, Asset> = new Map(
  readdirSync(assetsFolder).map((name) => {
    const body = readFileSync(assetsFolder + name);
    return [name, { body, etag: `"${digest(body.toString('base64')).slice(0, 22)}"` }];
  }),
);

/** Changes when any asset changes, so that browsers may keep them for ever. */
const assetsVersion = digest([...assets.values()].map((asset) => asset.etag).join()).slice(0, 10);

type ViewName =
  | 'login'
  | 'confirm'
  | 'consent'
  | 'choose_account'
  | 'logout'
  | 'signed_out'
  | 'error'
  | 'errors'
  | 'home'
  | 'claim'
  | 'form_post'
  | 'form_post_asked'
  | 'check_session';

const templates = new Map<ViewName, (data: object) => string>();

function template(view: ViewName): (data: object) => string {
  const known = templates.get(view);
  if (known !== undefined) return known;
  const filename = `${views}${view}.ejs`;
  const compiled = ejs.compile(readFileSync(filename, 'utf8'), {
    filename,
    root: views,
    views: [views],
    cache: true,
  });
  templates.set(view, compiled);
  return compiled;
}

export interface Page {
  readonly view: ViewName;
  readonly title: string;
  readonly data: object;
  readonly status?: number;
}

/** Answers with a page, which nobody may keep or frame. */
export function render(ctx: Context, config: Pick<Config, 'base' | 'PRODUCT_NAME'>, page: Page): void {
  const { view, title, data, status = 200 } = page;
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = template(view)({
    ...data,
    page: { title, product: config.PRODUCT_NAME, lang: 'en', base: config.base, version: assetsVersion },
  });
}
