/**
 * The browser cookie: 256 random bits that tell one browser from another before anybody has signed in. Pending requests and form
 * tokens are bound to it. Set if absent and never replaced, so that two tabs share it (decisions 12).
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { digest, newSecret } from '../secrets.js';
import { readCookie, setCookie } from './cookies.js';

/** The digest of the browser's cookie; null if it sent none. */
export function knownBrowser(ctx: Context, config: Pick<Config, 'loopback' | 'base'>): string | null {
  const cookie = readCookie(ctx, config, 'browser');
  return cookie === undefined || !/^[A-Za-z0-9_-]{43}$/.test(cookie) ? null : digest(cookie);
}

const given = new WeakMap<Context, string>();

/** The same, but a browser without one is given one with this answer. */
export function browserOf(ctx: Context, config: Pick<Config, 'loopback' | 'base'>): string {
  const known = knownBrowser(ctx, config) ?? given.get(ctx);
  if (known !== undefined) return known;
  const cookie = newSecret();
  setCookie(ctx, config, 'browser', cookie);
  given.set(ctx, digest(cookie));
  return digest(cookie);
}
