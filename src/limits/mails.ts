/**
 * How many mails strangers may ask for: by one source, and of one kind to one address, in an hour. Counted by conditional statements before anything
 * is looked up, whether the address has an account or not (hardening rows 14 and 16).
 */
import type { Config } from '../config.js';
import { UserError } from '../oauth/errors.js';
import type { Db, Trx } from '../store/db.js';
import { reserveAll } from './counters.js';

const seconds = 3600;

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
  const from = { key: `mail from ${source}`, limit: limits.MAILS_PER_SOURCE, seconds };
  const to = { key: `mail for ${kind} to ${address}`, limit: limits.MAILS_PER_ADDRESS, seconds };
  return db.transaction(async (trx) => {
    const by_source = await reserveAll(trx, [from], now);
    if (!by_source.allowed) throw tooMany(by_source.retry_after);
    return (await reserveAll(trx, [to], now)).allowed; // apart: a refused one stays counted for its source
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
  const reservation = await reserveAll(trx, [{ key: `code to ${address}`, limit, seconds }], now);
  if (!reservation.allowed) throw tooMany(reservation.retry_after);
}

function tooMany(retry_after: number): UserError {
  const values = { count: Math.ceil(retry_after / 60) };
  return new UserError('too_many_attempts', { key: 'reset.too_many', values }, null, retry_after);
}
