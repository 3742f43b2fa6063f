/**
 * Recovery codes: ten, for somebody who lost their second factor. Each is 50 random bits, kept as a MAC under a key of the server, so
 * that a stolen database alone gives none; each is good once.
 */
import type { KeyRing } from '../keys/keys.js';
import { newId, newSecret } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';

/** What is proved by it: a one-time password. RFC 8176 §2. */
export const amr = ['otp'];

const how_many = 10;

/** Crockford's Base32: no letter that is read as a digit or as another. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** A code as it is shown: two groups of five. */
export function newRecoveryCode(): string {
  const bytes = Buffer.from(newSecret(), 'base64url').subarray(0, 10);
  const text = [...bytes].map((byte) => alphabet[byte & 31]).join('');
  return `${text.slice(0, 5)}-${text.slice(5)}`;
}

/** A code as somebody typed it, in the spelling that is compared; undefined where it can be none. */
export function canonicalRecoveryCode(typed: string): string | undefined {
  const text = typed
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s\p{Cf}\p{Pd}]/gu, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1');
  return /^[0-9a-hjkmnp-tv-z]{10}$/.test(text) ? text : undefined;
}

/** Ten codes, as they are shown to their owner. */
export function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: how_many }, newRecoveryCode);
}

/** Puts codes in the place of those there were. */
export async function replaceRecoveryCodes(
  trx: Trx,
  ring: KeyRing,
  { user_id, codes }: { readonly user_id: string; readonly codes: readonly string[] },
  now: number,
): Promise<void> {
  await credentials.removeAll(trx, user_id, 'recovery_code');
  const rows = codes.map((code) => {
    const secret = macOf(ring, user_id, code.replace('-', ''));
    return { id: newId(), user_id, type: 'recovery_code', secret, created_at: now, updated_at: now } as const;
  });
  await credentials.insertAllOf(trx, rows);
}

/** Uses a code up. False where it is wrong or was used before: of any number at the same moment one gets true. */
export async function useRecoveryCode(
  trx: Trx,
  ring: KeyRing,
  { user_id, code }: { readonly user_id: string; readonly code: string },
): Promise<boolean> {
  const canonical = canonicalRecoveryCode(code);
  return (
    canonical !== undefined && credentials.useUp(trx, { user_id, secret: macOf(ring, user_id, canonical) })
  );
}

function macOf(ring: KeyRing, user_id: string, code: string): string {
  return ring.mac('factor', `recovery_code ${user_id} ${code}`);
}
