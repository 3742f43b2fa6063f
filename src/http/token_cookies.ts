/** The tokens of a browser's page, in cookies that no script can read. Decisions 29. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { OAuthError } from '../oauth/errors.js';
import type { TokenResponse } from '../tokens/issue.js';
import { longest_cookie, readCookie, setCookie } from './cookies.js';

/** The access token that the browser holds; it may have expired. */
export function accessCookie(ctx: Context, config: Config): string | undefined {
  return readCookie(ctx, config, 'access');
}

/** The refresh token, which browsers send to the refresh endpoint alone. */
export function refreshCookie(ctx: Context, config: Config): string | undefined {
  return readCookie(ctx, config, 'refresh');
}

/**
 * Replaces both. The cookie of the access token outlives the token, so that a sign-out still knows whose session it ends. Throws
 * `invalid_scope` where the token is longer than what a browser keeps: it would be dropped unsaid.
 */
export function giveTokens(ctx: Context, config: Config, tokens: TokenResponse): void {
  const { access_token, refresh_token } = tokens;
  if (access_token.length > longest_cookie)
    throw new OAuthError('invalid_scope', 'the access token is too long for a cookie; ask for less');
  const lives =
    refresh_token === undefined
      ? config.ACCESS_TOKEN_SECONDS
      : Math.min(config.REFRESH_TOKEN_SECONDS, config.SESSION_MAX_SECONDS);
  setCookie(ctx, config, 'access', access_token, lives);
  if (refresh_token !== undefined) setCookie(ctx, config, 'refresh', refresh_token, lives);
}

export function takeTokens(ctx: Context, config: Config): void {
  setCookie(ctx, config, 'access', '', 0);
  setCookie(ctx, config, 'refresh', '', 0);
}
