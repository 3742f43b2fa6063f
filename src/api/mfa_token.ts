/**
 * The handle by which a sign-in of the first-party API goes on that owes a second factor: sealed, for one client, as short-lived as the
 * row of sign_ins that it reaches. It holds no token and gives none by itself. Decisions 29.
 */
import type { KeyRing } from '../keys/keys.js';
import type { Mode } from '../oauth/direct_sign_in.js';
import { OAuthError } from '../oauth/errors.js';

const context = 'mfa_token';

/** What is kept of the request that took the password. */
export interface MfaToken {
  readonly client_id: string;
  /** What a browser would have as the cookie of its sign-in. */
  readonly cookie: string;
  readonly mode: Mode;
  readonly scope: string;
  readonly resource: readonly string[];
}

export function sealMfaToken(ring: KeyRing, token: MfaToken): string {
  return ring.seal('seal', Buffer.from(JSON.stringify(token)), context);
}

/** Throws `invalid_grant` for what is none of ours, or another client's. */
export function openMfaToken(ring: KeyRing, sealed: string, client_id: string): MfaToken {
  const plain = ring.open('seal', sealed, context);
  const token = plain && (JSON.parse(plain.toString()) as MfaToken); // sealMfaToken wrote it
  if (token === undefined || token.client_id !== client_id) throw mfaTokenOver();
  return token;
}

export function mfaTokenOver(): OAuthError {
  return new OAuthError('invalid_grant', 'mfa_token is unknown, used up or expired: begin with the password');
}
