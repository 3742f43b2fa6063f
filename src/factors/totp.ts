/**
 * One-time passwords of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits and thirty seconds, which is what every app knows.
 * The key is sealed. A step that was taken is not taken again (§5.2).
 */
import { Secret, TOTP } from 'otpauth';
import type { KeyRing } from '../keys/keys.js';
import { newKey } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';

/** What is proved by it. RFC 8176 §2. */
export const amr = ['otp'];

const period = 30;
/** Steps that a clock may be off, either way. */
const window = 1;
/** 160 bits, as RFC 4226 §4 recommends. */
const key_bytes = 20;

export function newTotpKey(): Buffer {
  return newKey().subarray(0, key_bytes);
}

export interface TotpLabel {
  /** The name of this server. */
  readonly issuer: string;
  /** Whose it is: their address. */
  readonly account: string;
}

/** What an authenticator app reads from a QR code, and the key as a person types it. */
export function enrolment(key: Buffer, { issuer, account }: TotpLabel) {
  const totp = totpOf(key, { issuer, account });
  return { uri: totp.toString(), secret: (totp.secret.base32.match(/.{1,4}/g) ?? []).join(' ') };
}

/** The step that a code is of, the moment it is right; null where it is wrong. `code` as somebody typed it. */
export function matchingStep(key: Buffer, code: string, now: number): number | null {
  const token = digitsOf(code);
  if (!/^\d{6}$/.test(token)) return null;
  const delta = totpOf(key).validate({ token, timestamp: now * 1000, window });
  return delta === null ? null : Math.floor(now / period) + delta;
}

function totpOf(key: Buffer, label: Partial<TotpLabel> = {}): TOTP {
  const { issuer = '', account = '' } = label;
  const secret = new Secret({ buffer: new Uint8Array(key).buffer });
  return new TOTP({ issuer, label: account, secret, algorithm: 'SHA1', digits: 6, period });
}

/** The digits of a code as people type them: with spaces, in full width, or in the digits of their own script. */
export function digitsOf(code: string): string {
  return code
    .normalize('NFKC')
    .replaceAll(/[\s\p{Cf}-]/gu, '')
    .replaceAll(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf));
}

export function sealKey(ring: KeyRing, key: Buffer, of: { id: string; user_id: string }): string {
  return ring.seal('factor', key, contextOf(of));
}

/** Binds a sealed key to its row: moved to another person's, it does not open. */
function contextOf({ id, user_id }: { readonly id: string; readonly user_id: string }): string {
  return `totp ${user_id} ${id}`;
}

/** Checks a code against all apps of a person and uses its step up: of any number at the same moment one gets true. */
export async function verifyTotp(
  trx: Trx,
  ring: KeyRing,
  { user_id, code }: { readonly user_id: string; readonly code: string },
  now: number,
): Promise<boolean> {
  for (const { id, secret } of await credentials.list(trx, user_id, 'totp')) {
    const key = ring.open('factor', secret, contextOf({ id, user_id }));
    const step = key === undefined ? null : matchingStep(key, code, now);
    if (step !== null) return credentials.useStep(trx, { id, step, now });
  }
  return false;
}
