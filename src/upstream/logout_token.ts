/**
 * A logout token that another provider sends us: its signature, its type, and everything that it must and must not say. OpenID Connect
 * Back-Channel Logout 1.0 §2.4, §2.6; RFC 8725 §3.11. Hardening rows 19 and 20.
 */
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { IdentityProviderRow } from '../store/identity_providers.js';

/** A logout token may be this long, in characters (hardening, numbers). */
const longest = 16_384;
/** How old it may be, and how much clocks may differ, in seconds. */
const oldest_seconds = 300;
const tolerance_seconds = 30;

const event = 'http://schemas.openid.net/event/backchannel-logout';

/** Why a logout token does not count: for the provider's log. */
export class LogoutTokenError extends Error {
  override readonly name = 'LogoutTokenError';
}

export interface LogoutOrder {
  readonly jti: string;
  /** Until when its jti must be remembered. */
  readonly ends_at: number;
  /** The session that ended there; null where all of the subject's did. */
  readonly sid: string | null;
  readonly subject: string | null;
}

/** What a genuine token of this provider orders. Throws LogoutTokenError; what `keys` throws goes through. */
export async function readLogoutToken(
  provider: Pick<IdentityProviderRow, 'issuer' | 'client_id' | 'id_token_signed_response_alg'>,
  keys: JWTVerifyGetKey,
  token: string,
  now: number,
): Promise<LogoutOrder> {
  if (token.length > longest) throw new LogoutTokenError('logout_token is too long');
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    algorithms: [provider.id_token_signed_response_alg], // of the provider's row, never of the header
    issuer: provider.issuer ?? '',
    audience: provider.client_id,
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
    maxTokenAge: oldest_seconds,
    clockTolerance: tolerance_seconds,
    currentDate: new Date(now * 1000),
  }).catch(asRefusal);
  const typ = (protectedHeader.typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
  if (typ !== 'logout+jwt' && typ !== 'jwt') throw new LogoutTokenError('typ is not that of a logout token');
  const { jti, exp, sid, sub, nonce, events } = payload;
  if (nonce !== undefined) throw new LogoutTokenError('a logout token has no nonce'); // it would be an ID token
  if (!isObject(events) || !isObject(events[event]))
    throw new LogoutTokenError('events does not say that it is a logout token');
  if (typeof jti !== 'string' || jti === '' || jti.length > 1000 || exp === undefined)
    throw new LogoutTokenError('jti must be a text');
  if (![sid, sub].every((one) => one === undefined || (typeof one === 'string' && one !== '')))
    throw new LogoutTokenError('sid and sub must be texts');
  if (sid === undefined && sub === undefined) throw new LogoutTokenError('neither sid nor sub is there');
  return {
    jti,
    ends_at: exp + tolerance_seconds,
    sid: typeof sid === 'string' ? sid : null,
    subject: sub ?? null,
  };
}

function asRefusal(error: unknown): never {
  if (error instanceof errors.JWKSNoMatchingKey) throw error; // the caller fetches the keys anew
  if (error instanceof errors.JOSEError) throw new LogoutTokenError(`logout_token: ${error.message}`);
  throw error;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
