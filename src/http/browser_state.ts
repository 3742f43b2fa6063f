/**
 * The OP browser state (OpenID Connect Session Management §3.2): a cookie that the script of the check_session_iframe reads. It is no
 * secret, gives nobody a session, and changes at each sign-in and sign-out. On https alone: a loopback http issuer has no such frame.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { sessionState } from '../oauth/session_state.js';
import { digest, newId } from '../secrets.js';
import { browserOf } from './browser.js';
import { readCookie, setCookie } from './cookies.js';

type StateConfig = Pick<Config, 'base' | 'loopback' | 'SESSION_MAX_SECONDS'>;

/** Shows the browser's frames that somebody has signed in, by the digest of the new session's cookie. */
export function showSignedIn(ctx: Context, config: StateConfig, token_hash: string): void {
  if (!config.loopback)
    setCookie(ctx, config, 'browser_state', browserState(token_hash), config.SESSION_MAX_SECONDS);
}

/** Shows them that nobody is signed in any more. */
export function showSignedOut(ctx: Context, config: StateConfig): void {
  if (!config.loopback) setCookie(ctx, config, 'browser_state', '', 0);
}

/**
 * The parameter `session_state` of a response, none on http. Where the browser shows another state than is true, as after a session that
 * was ended from elsewhere, the answer corrects it.
 */
export function sessionStateFor(
  ctx: Context,
  config: StateConfig,
  to: { readonly client_id: string; readonly redirect_uri: string },
  session: { readonly token_hash: string } | null,
): { readonly session_state?: string } {
  if (config.loopback) return {};
  // A browser in which nobody is signed in has a state too, never a constant: any site could try that one out.
  const browser_state = browserState(session?.token_hash ?? browserOf(ctx, config));
  const session_state = sessionState({ ...to, browser_state }, newId());
  if (session_state === undefined) return {};
  if (readCookie(ctx, config, 'browser_state') !== browser_state)
    setCookie(ctx, config, 'browser_state', browser_state, config.SESSION_MAX_SECONDS);
  return { session_state };
}

/** Neither the cookie it comes from nor that cookie's digest, which the database holds, can be found from it. */
function browserState(cookie_digest: string): string {
  return digest(`browser state ${cookie_digest}`);
}
