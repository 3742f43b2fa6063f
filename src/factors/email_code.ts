/**
 * Codes of eight digits by mail: the second factor of people who need one and have no other, where the operator wants it so. It never stands
 * beside an authenticator app or a passkey: a stolen mailbox, by which the password can be replaced, would beat them. Kept as a MAC
 * for one sign-in and one address, good once.
 */
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { type PolicyConfig, policyOf } from '../oauth/sign_in_step.js';
import { newDigits } from '../secrets.js';
import type { Queryable, Trx } from '../store/db.js';
import * as secondFactors from '../store/second_factors.js';
import * as signIns from '../store/sign_ins.js';
import * as users from '../store/users.js';
import { digitsOf } from './totp.js';

/** What is proved by it: a one-time password. RFC 8176 §2. */
export const amr = ['otp'];

const lives_seconds = 600;
/** Codes that are sent for one sign-in. */
const most_sent = 3;

export type EmailCodeConfig = PolicyConfig & Pick<Config, 'EMAIL_CODE'>;

/** Whether codes by mail are the second factor of a person: they need one, have none, and showed that the address is theirs. */
export async function countsAsFactor(
  db: Queryable,
  config: EmailCodeConfig,
  user_id: string,
): Promise<boolean> {
  if (config.EMAIL_CODE === 'off') return false;
  const user = await users.find(db, user_id);
  if (user?.email_verified !== 1) return false;
  if (policyOf(config, user.roles) !== 'required') return false;
  return (await secondFactors.list(db, user_id)).length === 0;
}

/** Whether a person has a second factor to be asked for, be it this one. */
export async function hasFactor(db: Queryable, config: EmailCodeConfig, user_id: string): Promise<boolean> {
  return (await secondFactors.list(db, user_id)).length > 0 || countsAsFactor(db, config, user_id);
}

type Owner = Pick<users.UserRow, 'email_canonical'>;

/**
 * A new code for a sign-in, in the place of the one before, and until when it is good. Null where as many were sent as there may be, or
 * the sign-in is over.
 */
export async function issueEmailCode(
  trx: Trx,
  ring: KeyRing,
  { sign_in, owner }: { readonly sign_in: signIns.SignInRow; readonly owner: Owner },
  now: number,
): Promise<{ readonly code: string; readonly expires_at: number } | null> {
  const code = newDigits(8);
  const expires_at = Math.min(now + lives_seconds, sign_in.expires_at);
  const row = { id: sign_in.id, email_code_mac: macOf(ring, sign_in, owner, code), expires_at };
  return (await signIns.setEmailCode(trx, { ...row, now, limit: most_sent })) ? { code, expires_at } : null;
}

/** Uses the code of a sign-in up. False where it is wrong, old, used, or went to another address than the person has now. */
export async function useEmailCode(
  trx: Trx,
  ring: KeyRing,
  { sign_in, owner, code }: { sign_in: signIns.SignInRow; owner: Owner; code: string },
  now: number,
): Promise<boolean> {
  const typed = digitsOf(code);
  if (!/^\d{8}$/.test(typed)) return false;
  const email_code_mac = macOf(ring, sign_in, owner, typed);
  return signIns.useEmailCode(trx, { id: sign_in.id, email_code_mac, now });
}

function macOf(
  ring: KeyRing,
  { id, user_id }: Pick<signIns.SignInRow, 'id' | 'user_id'>,
  { email_canonical }: Owner,
  code: string,
): string {
  return ring.mac('factor', `email_code ${user_id} ${id} ${email_canonical} ${code}`);
}
