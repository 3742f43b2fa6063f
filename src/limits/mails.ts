/**
 * How many mails strangers may ask for: by one source, and of one kind to one address, in an hour. Counted by conditional statements before anything
 * is looked up, whether the address has an account or not (hardening rows 14 and 16).
 */
import type { Config } from '../config.js';
import { UserError } from '../oauth/errors.js';
import { digest } from '../secrets.js';
import * as attempts from '../store/attempts.js';
import type { Db, Trx } from '../store/db.js';

const window_seconds = 3600;

export interface MailAsked {
  /** What it is for. Counted apart, so that nobody keeps the owner of an address from a new password by asking for accounts with it. */
  readonly kind: 'account' | 'address' | 'password';
  /** From `sourceOf` (limits/attempts.ts). */
  readonly source: string;
  /** The address as it is compared. */
  readonly address: string;
}

/**
 * Counts one more mail that was asked for. False where the address has been sent enough in this hour: nothing is sent then, and the answer
 * is the usual one, so that nobody is kept from theirs by who asks in their name. Throws UserError `too_many_attempts` where the source asks
 * too often.
 */
export async function countMail(
  db: Db,
  limits: Pick<Config, 'MAILS_PER_ADDRESS' | 'MAILS_PER_SOURCE'>,
  { kind, source, address }: MailAsked,
  now: number,
): Promise<boolean> {
  const expires_at = now + window_seconds;
  const counted = (text: string, limit: number) => ({ key_hash: digest(text), now, expires_at, limit });
  return db.transaction(async (trx) => {
    const from = counted(`mail from ${source}`, limits.MAILS_PER_SOURCE);
    if (!(await attempts.reserve(trx, from))) {
      const until = (await attempts.find(trx, from.key_hash))?.expires_at ?? expires_at;
      throw tooMany(Math.max(1, until - now));
    }
    return attempts.reserve(trx, counted(`mail for ${kind} to ${address}`, limits.MAILS_PER_ADDRESS));
  });
}

/**
 * Counts one more code that is sent to an address, for somebody who proved their password: apart from what strangers ask for, so that these
 * keep nobody from signing in. Throws UserError `too_many_attempts` where there were enough in this hour, which undoes the transaction.
 */
export async function countCode(
  trx: Trx,
  { MAILS_PER_ADDRESS: limit }: Pick<Config, 'MAILS_PER_ADDRESS'>,
  address: string,
  now: number,
): Promise<void> {
  const [key_hash, expires_at] = [digest(`code to ${address}`), now + window_seconds];
  if (await attempts.reserve(trx, { key_hash, now, expires_at, limit })) return;
  const until = (await attempts.find(trx, key_hash))?.expires_at ?? expires_at;
  throw tooMany(Math.max(1, until - now));
}

function tooMany(retry_after: number): UserError {
  const values = { count: Math.ceil(retry_after / 60) };
  return new UserError('too_many_attempts', { key: 'reset.too_many', values }, null, retry_after);
}
