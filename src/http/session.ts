/** The session of a request, by its cookie. The database holds the cookie's SHA-256. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { digest } from '../secrets.js';
import type { Db } from '../store/db.js';
import * as sessions from '../store/sessions.js';
import * as users from '../store/users.js';
import { showSignedIn, showSignedOut } from './browser_state.js';
import { readCookie, setCookie } from './cookies.js';

export interface SessionDeps {
  readonly db: Db;
  readonly config: Config;
}

/**
 * The living session of this browser; null if there is none, or its cookie is nothing of ours. Notes that it is in use, at most
 * once a minute.
 */
export async function currentSession(
  deps: SessionDeps,
  ctx: Context,
  now: number,
): Promise<sessions.LiveSession | null> {
  const cookie = readCookie(ctx, deps.config, 'session');
  if (cookie === undefined || !/^[A-Za-z0-9_-]{43}$/.test(cookie)) return null;
  const session = await sessions.findLive(deps.db, digest(cookie), now);
  if (session === undefined) return null;
  if (session.last_seen_at < now - 60)
    await sessions.touch(deps.db, session.id, now + deps.config.SESSION_IDLE_SECONDS, now);
  return session;
}

/** Hands the browser the cookie of a session that was just started or renewed. It lives as long as the session can. */
export function giveSession(ctx: Context, config: Config, cookie: string): void {
  setCookie(ctx, config, 'session', cookie, config.SESSION_MAX_SECONDS);
  showSignedIn(ctx, config, digest(cookie));
}

export function takeSession(ctx: Context, config: Config): void {
  setCookie(ctx, config, 'session', '', 0);
  showSignedOut(ctx, config);
}

export function isAdministrator(session: Pick<sessions.LiveSession, 'roles'> | null): boolean {
  return session !== null && users.isAdministrator(session);
}
