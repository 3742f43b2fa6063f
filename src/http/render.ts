/** Renders views/*.ejs. A view gets a plain object; templates are compiled once. Styles and scripts are our own files alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { languageNames, languages } from '../languages/catalogues.js';
import { type Text, translatorOf, type Words } from '../languages/translate.js';
import { digest } from '../secrets.js';
import { type AskedIn, languageOf } from './language.js';

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

export type ViewName =
  | 'login'
  | 'confirm'
  | 'factor'
  | 'factor'
  | 'consent'
  | 'choose_account'
  | 'logout'
  | 'signed_out'
  | 'error'
  | 'errors'
  | 'home'
  | 'account/overview'
  | 'account/profile'
  | 'account/password'
  | 'account/sessions'
  | 'account/applications'
  | 'account/events'
  | 'account/data'
  | 'account/delete'
  | 'account/keep'
  | 'account/goodbye'
  | 'claim'
  | 'check_mail'
  | 'forgot_password'
  | 'reset_password'
  | 'dev_mail'
  | 'dev_message'
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
  readonly title: Text | Words;
  readonly data: PageData;
  readonly status?: number;
  /** The pending request that the page is about: it may ask for a language. */
  readonly pending?: AskedIn | null;
}

/** What a view gets. A page is shown again by its path and these members of it. */
interface PageData {
  readonly request?: string | null;
  readonly token?: string;
  readonly [name: string]: unknown;
}

export type PageConfig = Pick<Config, 'base' | 'loopback' | 'DEFAULT_LANGUAGE' | 'PRODUCT_NAME'>;

/** Answers with a page in the language of its reader, which nobody may keep or frame. */
export function render(ctx: Context, config: PageConfig, page: Page): void {
  const { view, title, data, status = 200, pending = null } = page;
  const t = translatorOf(languageOf(ctx, config, pending));
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = template(view)({
    ...data,
    t,
    page: {
      title: t(title),
      product: config.PRODUCT_NAME,
      base: config.base,
      version: assetsVersion,
      languages: offered,
      back: wayBack(ctx, data),
    },
  });
}

const offered = languages.map((language) => ({ language, name: languageNames[language] }));

/** The address of this page where it hangs on something that a form carries on. For others the Referer is enough (pages/language.ts). */
function wayBack(ctx: Context, { request, token }: PageData): string | null {
  const query = new URLSearchParams({ ...(request && { request }), ...(token && { token }) });
  return query.size === 0 ? null : `${ctx.path}?${query}`;
}
