/**
 * Which language a page is in: what the application asked for (`ui_locales`, OpenID Connect Core §3.1.2.1), else what the person chose at
 * the foot of a page, else what the browser says, else the setting. A choice made since the request came goes before its `ui_locales`.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { isLanguage, type Language } from '../languages/catalogues.js';
import { firstOfOurs, parseAcceptLanguage, parseLocales } from '../languages/tags.js';
import { type CookieSettings, readCookie, setCookie } from './cookies.js';
import { asTheyCame } from './read.js';

/** Of a pending request, what says in which language it wants its pages. */
export interface AskedIn {
  /** Whole seconds since 1970. */
  readonly arrived_at: number;
  readonly request: { readonly ui_locales: readonly string[] };
}

const keeps_seconds = 365 * 86_400;

/** The languages that a person reads, the most wanted first, ten at most. */
export function languagesOf(
  ctx: Context,
  settings: CookieSettings,
  pending: AskedIn | null,
): readonly string[] {
  const chosen = readChoice(ctx, settings);
  const asked = pending?.request.ui_locales ?? namedIn(ctx);
  const own = chosen === null ? [] : [chosen.language];
  const first =
    chosen !== null && pending !== null && chosen.at >= pending.arrived_at
      ? [...own, ...asked]
      : [...asked, ...own];
  return [...first, ...parseAcceptLanguage(ctx.get('accept-language'))].slice(0, 10);
}

/** The `ui_locales` of a page without a pending request: one that tells of an error in it, or of the end of a session. */
function namedIn(ctx: Context): readonly string[] {
  return parseLocales(asTheyCame(ctx).get('ui_locales') ?? undefined);
}

/** The language of a page. */
export function languageOf(
  ctx: Context,
  config: CookieSettings & Pick<Config, 'DEFAULT_LANGUAGE'>,
  pending: AskedIn | null,
): Language {
  return firstOfOurs(languagesOf(ctx, config, pending)) ?? config.DEFAULT_LANGUAGE;
}

/** Keeps what the person chose, for a year. */
export function rememberLanguage(
  ctx: Context,
  settings: CookieSettings,
  language: Language,
  now: number,
): void {
  setCookie(ctx, settings, 'language', `${language}.${now}`, keeps_seconds);
}

function readChoice(
  ctx: Context,
  settings: CookieSettings,
): { readonly language: Language; readonly at: number } | null {
  const [language = '', at] = readCookie(ctx, settings, 'language')?.split('.') ?? [];
  return isLanguage(language) ? { language, at: Number(at) } : null;
}
