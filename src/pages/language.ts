/** The choice of a language at the foot of every page, GET /language: keeps it in a cookie and goes back to the page it came from. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { comesFromHere } from '../http/csrf.js';
import { rememberLanguage } from '../http/language.js';
import { readQuery } from '../http/read.js';
import { isLanguage } from '../languages/catalogues.js';
import { UserError } from '../oauth/errors.js';

/**
 * A GET, so that it needs no token and works on every page: it changes nothing but how pages read, and only where the browser says that
 * the person came from a page of ours. `back` is a path of this server;
 * without it the Referer is, which our pages send to us alone; else it is the start page.
 */
export function chooseLanguage(deps: Pick<Deps, 'clock' | 'config'>): Middleware {
  return (ctx: Context) => {
    const params = readQuery(ctx);
    const language = params.get('to') ?? '';
    if (!isLanguage(language)) throw new UserError('invalid_input', 'common.unknown_language');
    if (comesFromHere(ctx, new URL(deps.config.ISSUER).origin))
      rememberLanguage(ctx, deps.config, language, deps.clock());
    seeOther(ctx, ownPath(deps.config, params.get('back') ?? ctx.get('referer')));
  };
}

/** A path of this server, as the browser would read it; the start page for anything else. No open redirect. */
function ownPath({ ISSUER, base }: Deps['config'], back: string): string {
  const here = new URL(ISSUER).origin;
  if (back === '' || !URL.canParse(back, here)) return `${base}/`;
  const { origin, pathname, searchParams, search } = new URL(back, here);
  if (origin !== here || !pathname.startsWith(`${base}/`) || pathname.startsWith('//')) return `${base}/`;
  if (!searchParams.has('ui_locales')) return pathname + search;
  searchParams.delete('ui_locales'); // what the person chose goes before it
  return `${pathname}?${searchParams}`;
}
