/**
 * Where a sign-in leads that no application asked for: back to the page of the account that wanted it, else to the start page. A cookie
 * of ours remembers the page, so that no step of a sign-in has to carry it; whatever is in it, it names a page of the account on this
 * server and nothing else (hardening row 5).
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { seeOther } from './answer.js';
import { readCookie, setCookie } from './cookies.js';

type WayConfig = Pick<Config, 'base' | 'loopback'>;

/** Long enough for a person who has to look for a password. */
const keeps_seconds = 900;

/** Paths of the account's pages: `account.sessions` stands for /account/sessions, since a cookie's value has no slashes. */
const plausible = /^account(\.[a-z]+){0,3}$/;

/** Sends the browser to sign in first, and remembers that `path`, under the issuer's path, wanted it. */
export function signInFirst(ctx: Context, config: WayConfig, path: string): void {
  const name = path.slice(1).replaceAll('/', '.');
  if (plausible.test(name)) setCookie(ctx, config, 'way_back', name, keeps_seconds);
  seeOther(ctx, `${config.base}/login`);
}

/** The address to go on at after a sign-in, used up by asking. */
export function afterSignIn(ctx: Context, config: WayConfig): string {
  const name = readCookie(ctx, config, 'way_back');
  if (name === undefined) return `${config.base}/`;
  setCookie(ctx, config, 'way_back', '', 0);
  return plausible.test(name) ? `${config.base}/${name.replaceAll('.', '/')}` : `${config.base}/`;
}
