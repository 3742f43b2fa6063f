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
import { sidFor, subjectOf } from './subject.js';
import type { AccessTokenForm } from './token_rules.js';

/** What this server itself needs of an access token that it issued. */
export interface AccessToken {
  readonly authorization_id: string;
  /** What its client knows the user as; the client itself where it acts for itself. */
  readonly sub: string;
  readonly client_id: string;
  /** The session it came from, as its client knows it; '' where a client acts for itself. */
  readonly sid: string;
  /** The resources it is for, or the issuer. */
  readonly audience: readonly string[];
  readonly scope: readonly string[];
  /** The claims asked for by name for userinfo. */
  readonly userinfo_claims: readonly string[];
  readonly jti: string;
  readonly exp: number;
  readonly status: StatusIndex | null;
  /** All that it says. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface AccessTokenRequest {
  readonly client: Client;
  readonly granted: Granted;
  /** The user's row where something of it goes into the token: the roles, with scope=roles. */
  readonly user: UserRow | undefined;
  /** What the resource servers of the audience asked for. */
  readonly role_claims: Permitted['claims'];
  readonly form: AccessTokenForm;
}

export function signAccessToken(
  ring: KeyRing,
  config: Pick<Config, 'ISSUER'>,
  request: AccessTokenRequest,
  now: number,
): Promise<string> {
  const { client_id } = request.client;
  const { user, audience, scope } = request.granted;
  const [only = config.ISSUER] = audience;
  const userinfo_claims = Object.keys(user?.claims.userinfo ?? {});
  const claims = {
    iss: config.ISSUER,
    sub: user === null ? client_id : subjectOf(ring, request.client, user.user_id),
    aud: audience.length > 1 ? audience : only, // one audience is a string: protocol.md §30.5
    client_id,
    iat: now,
    exp: now + request.form.lifetime,
    jti: user === null ? newId() : `${user.authorization_id}.${newId()}`,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(user !== null && { sid: sidFor(ring, request.client, user.sid) }),
    ...(user !== null && { auth_time: user.auth_time, acr: user.acr, amr: user.amr }),
    ...statusClaim(config.ISSUER, user === null ? statusOf(request.client) : user.status),
    ...(request.user && user?.scope.includes('roles') && roles.resolve(request.user)),
    ...request.role_claims,
    ...(userinfo_claims.length > 0 && { userinfo_claims }),
  };
  return ring.sign('at+jwt', claims, now, request.form.alg);
}

/** When a token is read, and what more than the usual is accepted. */
interface Reading {
  readonly now: number;
  /** Takes one for resource servers alone, too. */
  readonly allow_any_audience?: true;
  /** Takes one that has expired, too: good to name what shall end, and for nothing else. */
  readonly allow_expired?: true;
}

/**
 * Reads an access token that was issued for this server itself (its audience is the issuer) and has not expired. Undefined for
 * anything else. Whether it was revoked is the caller's to ask.
 */
export function readAccessToken(
  ring: KeyRing,
  { ISSUER }: Pick<Config, 'ISSUER'>,
  text: string,
  { now, allow_any_audience, allow_expired }: Reading,
): AccessToken | undefined {
  const token = parseAccessToken(ring, ISSUER, text, now);
  if (token === undefined) return undefined;
  if (!allow_any_audience && !token.audience.includes(ISSUER)) return undefined;
  return allow_expired || token.exp > now ? token : undefined;
}

/** What a token of type at+jwt says that we signed. */
function parseAccessToken(ring: KeyRing, issuer: string, text: string, now: number): AccessToken | undefined {
  const verified = ring.verify('at+jwt', text, now);
  if (verified === undefined) return undefined;
  const {
    iss,
    exp,
    aud,
    sub,
    client_id,
    jti,
    sid = '',
    scope = '',
    userinfo_claims = [],
    status,
  } = verified.claims;
  if (iss !== issuer || typeof exp !== 'number') return undefined;
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
    audience: [aud].flat().map(String),
    scope: scope.split(' '),
    userinfo_claims: Array.isArray(userinfo_claims) ? userinfo_claims.map(String) : [],
    jti,
    status: readStatus(issuer, status),
    claims: verified.claims,
  };
}
