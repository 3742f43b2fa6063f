/** The session of a browser: found by its cookie, opened by it too. */
import type { IDToken, TokenEndpointResponse } from 'openid-client';
import { cookieLine, type HasHeaders, readCookie } from './cookies.js';
import { digest, newSecret, open, seal } from './secrets.js';
import type { Settings } from './settings.js';
import type { StoredSession } from './store.js';

/** What is sealed in a stored session. Times are whole seconds since 1970. */
export interface SessionContent {
  readonly claims: IDToken;
  readonly id_token: string;
  readonly access_token: string;
  /** Null where the provider did not say. */
  readonly access_token_expires_at: number | null;
  /** How long it lives in all. Sessions from before this was kept have none. */
  readonly access_token_seconds?: number | null;
  readonly refresh_token: string | null;
  readonly scope: string;
}

export interface Session {
  /** The cookie's value. */
  readonly id: string;
  readonly stored: StoredSession;
  readonly content: SessionContent;
}

/** Who is signed in, as the app sees it. */
export interface Person {
  readonly iss: string;
  readonly sub: string;
  readonly sid: string | null;
  /** Of the ID token. */
  readonly claims: IDToken;
  /** For the Authorization header of a request to an API. Null where it expired and could not be replaced. */
  readonly access_token: string | null;
  readonly scope: string;
  readonly id_token: string;
  readonly signed_in_at: number;
  readonly expires_at: number;
}

type FreshTokens = TokenEndpointResponse;

/** The content of a session after the code, or a refresh, was redeemed. What a refresh leaves out stays as it was (RFC 6749 §6). */
export function contentOf(
  tokens: FreshTokens,
  claims: IDToken,
  settings: Settings,
  before?: SessionContent,
): SessionContent {
  const { id_token = before?.id_token ?? '', access_token, expires_in, refresh_token, scope } = tokens;
  return {
    claims,
    id_token,
    access_token,
    access_token_expires_at: expires_in === undefined ? null : settings.clock() + expires_in,
    access_token_seconds: expires_in ?? null,
    refresh_token: refresh_token ?? before?.refresh_token ?? null,
    scope: scope ?? before?.scope ?? settings.scope,
  };
}

/** Begins a session under a new identifier, so that nobody who knew the one before is signed in along. Returns its cookie. */
export async function startSession(
  settings: Settings,
  issuer: string,
  content: SessionContent,
): Promise<string> {
  const id = newSecret();
  const now = settings.clock();
  const { sub, sid } = content.claims;
  await settings.sessions.insert({
    digest: digest(id),
    iss: issuer,
    sub,
    sid: typeof sid === 'string' ? sid : null,
    sealed: sealContent(id, content),
    version: 0,
    created_at: now,
    expires_at: now + settings.session_seconds,
  });
  return cookieLine(settings, 'session', id);
}

export function sealContent(id: string, content: SessionContent): string {
  return seal(id, 'session', content);
}

/** The session that a request's cookie names, as it is in the store. */
export async function findSession(settings: Settings, request: HasHeaders): Promise<Session | null> {
  const id = readCookie(request, settings, 'session');
  return id === undefined ? null : loadSession(settings, id);
}

export async function loadSession(settings: Settings, id: string): Promise<Session | null> {
  const stored = await settings.sessions.find(digest(id), settings.clock());
  const content = stored && open<SessionContent>(id, 'session', stored.sealed);
  return stored && content ? { id, stored, content } : null;
}

/** The Set-Cookie line that forgets the session. */
export function endSessionCookie(settings: Settings): string {
  return cookieLine(settings, 'session', '', { max_age: 0 });
}

export function personOf({ stored, content }: Session, now: number): Person {
  const { iss, sub, sid, created_at, expires_at } = stored;
  const { claims, access_token, access_token_expires_at, scope, id_token } = content;
  const expired = access_token_expires_at !== null && access_token_expires_at <= now;
  return {
    ...{ iss, sub, sid, claims, scope, id_token, expires_at },
    signed_in_at: created_at,
    access_token: expired ? null : access_token,
  };
}
