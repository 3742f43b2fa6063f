/** Access tokens: JWTs of type at+jwt. RFC 9068. */
import { roles } from '../claims/roles.js';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { newId } from '../secrets.js';
import type { Client } from '../store/clients.js';
import type { StatusIndex } from '../store/status_lists.js';
import type { UserRow } from '../store/users.js';
import type { Granted } from './granted.js';
import type { Permitted } from './permissions.js';
import { readStatus, statusClaim, statusOf } from './status.js';

/** What this server itself needs of an access token that it issued. */
export interface AccessToken {
  readonly authorization_id: string;
  readonly sub: string;
  readonly client_id: string;
  /** The session it came from; '' where a client acts for itself. */
  readonly sid: string;
  readonly scope: readonly string[];
  /** The claims asked for by name for userinfo. */
  readonly userinfo_claims: readonly string[];
  readonly jti: string;
  readonly exp: number;
  readonly status: StatusIndex | null;
  /** All that it says. */
  readonly claims: Readonly<Record<string, unknown>>;
}

type Lifetimes = Pick<Config, 'ISSUER' | 'ACCESS_TOKEN_SECONDS'>;

export interface AccessTokenRequest {
  readonly client: Client;
  readonly granted: Granted;
  /** The user's row where something of it goes into the token: the roles, with scope=roles. */
  readonly user: UserRow | undefined;
  /** What the resource servers of the audience asked for. */
  readonly role_claims: Permitted['claims'];
}

export function signAccessToken(
  ring: KeyRing,
  config: Lifetimes,
  request: AccessTokenRequest,
  now: number,
): Promise<string> {
  const { client_id } = request.client;
  const { user, audience, scope } = request.granted;
  const [only = config.ISSUER] = audience;
  const userinfo_claims = Object.keys(user?.claims.userinfo ?? {});
  const claims = {
    iss: config.ISSUER,
    sub: user?.user_id ?? client_id,
    aud: audience.length > 1 ? audience : only, // one audience is a string: protocol.md §30.5
    client_id,
    iat: now,
    exp: now + config.ACCESS_TOKEN_SECONDS,
    jti: user === null ? newId() : `${user.authorization_id}.${newId()}`,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(user !== null && { sid: user.sid, auth_time: user.auth_time, acr: user.acr, amr: user.amr }),
    ...statusClaim(config.ISSUER, user === null ? statusOf(request.client) : user.status),
    ...(request.user && user?.scope.includes('roles') && roles.resolve(request.user)),
    ...request.role_claims,
    ...(userinfo_claims.length > 0 && { userinfo_claims }),
  };
  return ring.sign('at+jwt', claims, now);
}

/**
 * Reads an access token that was issued for this server itself (its audience is the issuer) and has not expired. Undefined for
 * anything else. Whether it was revoked is the caller's to ask.
 */
export function readOwnAccessToken(
  ring: KeyRing,
  config: Lifetimes,
  token: string,
  now: number,
): AccessToken | undefined {
  const own = readSpentAccessToken(ring, config, token, now);
  return own !== undefined && own.exp > now ? own : undefined;
}

/** The same, but it may have expired: good to name what shall end, and for nothing else. */
export function readSpentAccessToken(
  ring: KeyRing,
  config: Lifetimes,
  token: string,
  now: number,
): AccessToken | undefined {
  const read = readAnyAccessToken(ring, config, token, now);
  return read !== undefined && audienceOf(read).includes(config.ISSUER) ? read : undefined;
}

/** Whom an access token is for. */
export function audienceOf({ claims }: AccessToken): readonly unknown[] {
  return Array.isArray(claims.aud) ? claims.aud : [claims.aud];
}

/** Reads an access token of ours for anybody. Undefined for anything else, and when it has expired. */
export function readAccessToken(
  ring: KeyRing,
  config: Lifetimes,
  token: string,
  now: number,
): AccessToken | undefined {
  const read = readAnyAccessToken(ring, config, token, now);
  return read !== undefined && read.exp > now ? read : undefined;
}

function readAnyAccessToken(
  ring: KeyRing,
  config: Lifetimes,
  token: string,
  now: number,
): AccessToken | undefined {
  const verified = ring.verify('at+jwt', token, now);
  if (verified === undefined) return undefined;
  const {
    iss,
    exp,
    sub,
    client_id,
    jti,
    sid = '',
    scope = '',
    userinfo_claims = [],
    status,
  } = verified.claims;
  if (iss !== config.ISSUER || typeof exp !== 'number') return undefined;
  if (
    typeof sub !== 'string' ||
    typeof client_id !== 'string' ||
    typeof jti !== 'string' ||
    typeof sid !== 'string' ||
    typeof scope !== 'string'
  )
    return undefined;
  const [authorization_id = '', unique] = jti.split('.');
  return {
    authorization_id: unique === undefined ? '' : authorization_id, // a client's own token names no authorization
    sub,
    client_id,
    sid,
    exp,
    scope: scope.split(' '),
    userinfo_claims: Array.isArray(userinfo_claims) ? userinfo_claims.map(String) : [],
    jti,
    status: readStatus(config.ISSUER, status),
    claims: verified.claims,
  };
}
