/** Logout tokens. OpenID Connect Back-Channel Logout §2.4 and §2.6. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { isObject } from '../json.js';
import { SignInError } from './errors.js';
import { asSignInError, type FoundProvider } from './provider.js';
import type { Settings } from './settings.js';

const logout_event = 'http://schemas.openid.net/event/backchannel-logout';

/** Characters. */
const longest = 16_384;
/** How far two clocks may be apart, seconds. */
export const tolerance_seconds = 30;

/** Whose sessions end: those of `sid`, or where there is none, all of `sub`. */
export interface LogoutToken {
  readonly iss: string;
  readonly jti: string;
  readonly exp: number;
  readonly end: { readonly sid: string } | { readonly sub: string };
}

/** Checks all but the replay. Throws SignInError `logout_invalid`; `provider_unreachable` where its keys cannot be had. */
export async function readLogoutToken(
  settings: Settings,
  provider: FoundProvider,
  token: string,
): Promise<LogoutToken> {
  if (token.length > longest) throw invalid('logout_token is too long');
  const now = settings.clock();
  const { payload, protectedHeader } = await jwtVerify(token, provider.keys, {
    issuer: provider.issuer,
    audience: settings.client_id,
    algorithms: [settings.id_token_signed_response_alg], // never what the header says
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
    clockTolerance: tolerance_seconds,
    currentDate: new Date(now * 1000),
  }).catch((error: unknown) => {
    throw isFaultOfToken(error)
      ? invalid(`logout_token: ${error.message}`, error)
      : asSignInError(new TypeError('no keys', { cause: error }));
  });
  // Explicit typing came late (§2.4): providers that do not know it say JWT, or nothing.
  const typ = protectedHeader.typ?.toLowerCase().replace(/^application\//, '') ?? 'jwt';
  if (typ !== 'logout+jwt' && typ !== 'jwt') throw invalid('logout_token: typ is of another kind of token');
  return readClaims(payload, now);
}

function readClaims(payload: JWTPayload, now: number): LogoutToken {
  const { iss, iat, exp, jti, events, sub, sid } = payload;
  if ('nonce' in payload) throw invalid('logout_token: nonce must not be there'); // so that an ID token is none
  if ((iat ?? 0) > now + tolerance_seconds) throw invalid('logout_token: iat is in the future');
  if (!isObject(events) || !isObject(events[logout_event]))
    throw invalid('logout_token: events names no logout');
  if (typeof jti !== 'string' || jti === '') throw invalid('logout_token: jti is no text');
  if (sub !== undefined && typeof sub !== 'string') throw invalid('logout_token: sub is no text');
  if (sid !== undefined && typeof sid !== 'string') throw invalid('logout_token: sid is no text');
  if (!sid && !sub) throw invalid('logout_token: neither sub nor sid is there');
  return { iss: iss ?? '', jti, exp: exp ?? 0, end: sid ? { sid } : { sub: sub ?? '' } };
}

/** Else the keys could not be fetched, or are none. */
function isFaultOfToken(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported
  );
}

export function invalid(message: string, cause?: unknown): SignInError {
  return new SignInError('logout_invalid', message, { cause });
}
