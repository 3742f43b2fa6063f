/** Renders pages. A view gets a plain object; styles and scripts are our own files alone. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Context } from 'koa';
import type { Accent } from '../branding/colour.js';
import type { Config } from '../config.js';
import { languageNames, languages } from '../languages/catalogues.js';
import { type Text, translatorOf, type Words } from '../languages/translate.js';
import { digest } from '../secrets.js';
import { accentOf, brandFor, productName } from './brand.js';
import { type AskedIn, languageOf } from './language.js';
import { template, type ViewName, views } from './views.js';

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

export interface Page {
  readonly view: ViewName;
  readonly title: Text | Words;
  readonly data: PageData;
  readonly status?: number;
  /** The pending request that the page is about: it may ask for a language. */
  readonly pending?: AskedIn | null;
  /** In place of the accent that the page would have. */
  readonly accent?: Accent | null;
}

/** What a view gets. A page is shown again by its path and these members of it. */
interface PageData {
  readonly request?: string | null;
  readonly token?: string;
  /** The application that the page is about. */
  readonly client?: { readonly accent: string | null } | null;
  readonly [name: string]: unknown;
}

export type PageConfig = Pick<
  Config,
  'base' | 'loopback' | 'DEFAULT_LANGUAGE' | 'PRODUCT_NAME' | 'VIEWS_DIR'
>;

/** Answers with a page in the language of its reader, which nobody may keep or frame. */
export function render(ctx: Context, config: PageConfig, page: Page): void {
  const { view, title, data, status = 200, pending = null } = page;
  const t = translatorOf(languageOf(ctx, config, pending));
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/html; charset=utf-8';
  const brand = brandFor(ctx);
  const accent = page.accent ?? accentOf(brand, data.client?.accent ?? null);
  ctx.body = template(
    view,
    config.VIEWS_DIR,
  )({
    ...data,
    t,
    page: {
      title: t(title),
      product: productName(ctx, config),
      base: config.base,
      version: assetsVersion,
      style: styleUri(config.base, accent),
      logo: brand.logo === undefined ? null : `${config.base}/logo?v=${digest(brand.logo.data).slice(0, 10)}`,
      links: brand,
      languages: offered,
      back: wayBack(ctx, data),
    },
  });
}

/** One sheet, whatever its colours: they are in its address, so that browsers may keep it for ever (endpoints/stylesheet.ts). */
function styleUri(base: string, accent: Accent | null): string {
  if (accent === null) return `${base}/assets/style.css?v=${assetsVersion}`;
  const dark = accent.dark === null ? '' : `&dark=${accent.dark.slice(1)}`;
  return `${base}/style.css?v=${assetsVersion}&accent=${accent.light.slice(1)}${dark}`;
}

const offered = languages.map((language) => ({ language, name: languageNames[language] }));

/** The address of this page where it hangs on something that a form carries on. For others the Referer is enough (pages/language.ts). */
function wayBack(ctx: Context, { request, token }: PageData): string | null {
  const query = new URLSearchParams({ ...(request && { request }), ...(token && { token }) });
  return query.size === 0 ? null : `${ctx.path}?${query}`;
}
