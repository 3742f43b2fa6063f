/** What the claims of an access token must say. RFC 9068 §4; RFC 9470 §4; RFC 9449 §7.2. */
import { TokenError } from './errors.js';

/** What was verified, shared by all requests that bring the same token: nothing of it can be changed. */
export interface VerifiedToken {
  /** The person, or the client where it acts for itself. */
  readonly sub: string;
  readonly client_id: string;
  readonly scope: readonly string[];
  readonly roles: readonly string[];
  /** Whole seconds since 1970. */
  readonly exp: number;
  /** When the person proved who they are, seconds since 1970. */
  readonly auth_time: number | undefined;
  readonly acr: string | undefined;
  /** Everything the token says. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a request needs besides a token that is valid here. */
export interface Requirements {
  /** All of these scopes: a list, or words with spaces between them. */
  readonly scope?: string | readonly string[];
  /** One of these roles. */
  readonly role?: string | readonly string[];
  /** Seconds since the person proved who they are, at most (RFC 9470). */
  readonly max_age?: number;
  /** One of these authentication contexts (RFC 9470). */
  readonly acr_values?: string | readonly string[];
}

/** What a token must be for, and how far clocks may differ. */
export interface Expected {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly clock_tolerance_seconds: number;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Reads claims whose signature was checked. Throws TokenError `issuer`, `audience`, `expired`, `not_yet_valid`, `confirmation`, or
 * `claims` for one that is missing or no value of its kind.
 */
export function readClaims(claims: Claims, expected: Expected, now: number): VerifiedToken {
  const { iss, sub, client_id, scope = '', roles, auth_time, acr } = claims;
  if (iss !== expected.issuer) throw new TokenError('issuer', 'the token is from another issuer');
  if (!isFor(claims.aud, expected.audience))
    throw new TokenError('audience', 'the token is not for this audience');
  const exp = checkTimes(claims, expected.clock_tolerance_seconds, now);
  // Bound to a key that a bearer does not prove to hold (RFC 9449 §7.2, RFC 8705 §3).
  if (claims.cnf !== undefined) throw new TokenError('confirmation', 'the token is no bearer token');
  if (!isName(sub) || !isName(client_id) || typeof scope !== 'string')
    throw new TokenError('claims', 'sub, client_id or scope is not what it should be');
  return Object.freeze({
    sub,
    client_id,
    scope: Object.freeze(scope === '' ? [] : scope.split(' ')),
    roles: Object.freeze(Array.isArray(roles) ? roles.filter(isName) : []),
    exp,
    auth_time: typeof auth_time === 'number' ? auth_time : undefined,
    acr: typeof acr === 'string' ? acr : undefined,
    get claims() {
      return freezeAll(claims); // at the first look: most applications never take one
    },
  });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isFor(aud: unknown, audience: readonly string[]): boolean {
  if (typeof aud === 'string') return audience.includes(aud);
  return Array.isArray(aud) && aud.some((one) => audience.includes(one));
}

/** Checks exp, nbf and iat, and gives exp. */
function checkTimes({ exp, nbf, iat }: Claims, tolerance: number, now: number): number {
  if (!isTime(exp) || !isTime(iat) || (nbf !== undefined && !isTime(nbf)))
    throw new TokenError('claims', 'exp, iat or nbf is not a time');
  if (exp <= now - tolerance) throw new TokenError('expired', 'the token has expired');
  if (Math.max(iat, nbf ?? 0) > now + tolerance)
    throw new TokenError('not_yet_valid', 'the token is from the future');
  return exp;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function freezeAll<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freezeAll(member);
  return Object.freeze(value);
}

/** Throws TokenError `scope`, `role`, `max_age` or `acr`, whose challenge says what is needed. */
export function checkRequirements(token: VerifiedToken, required: Requirements, now: number): void {
  const { scope, role, max_age, acr_values } = required;
  if (scope !== undefined && !(typeof scope === 'string' && token.scope.includes(scope))) {
    const needed = listOf(scope);
    if (!needed.every((one) => token.scope.includes(one)))
      throw new TokenError('scope', 'the token lacks a scope', { needed: { scope: needed } });
  }
  if (
    role !== undefined &&
    !(typeof role === 'string' ? [role] : role).some((one) => token.roles.includes(one))
  )
    throw new TokenError('role', 'the token lacks a role');
  if (max_age !== undefined && !(now - (token.auth_time ?? Number.NEGATIVE_INFINITY) <= max_age))
    throw new TokenError('max_age', 'a more recent sign-in is needed', { needed: { max_age } });
  if (acr_values !== undefined) {
    const needed = listOf(acr_values);
    if (token.acr === undefined || !needed.includes(token.acr))
      throw new TokenError('acr', 'a stronger sign-in is needed', { needed: { acr_values: needed } });
  }
}

function listOf(words: string | readonly string[]): readonly string[] {
  return typeof words === 'string' ? words.split(' ').filter((word) => word !== '') : words;
}
