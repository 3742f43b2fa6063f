/**
 * How many mails strangers may ask for: one source in all, one source to one address, and all of them to one address. Counted by conditional
 * statements before anything is looked up, whether the address has an account or not (hardening rows 14, 15 and 16).
 */
import type { Config } from '../config.js';
import { UserError } from '../oauth/errors.js';
import type { Db, Trx } from '../store/db.js';
import { reserveAll } from './counters.js';

const seconds = 3600;
/**
 * What is sent to one address is counted for as long as a link lives that lives shortest (actions/reset_password.ts), and no longer: whenever
 * nothing is sent, because somebody else had it all sent, a link of the last mail is still good.
 */
export const per_address_seconds = 30 * 60;

export type MailLimits = Pick<
  Config,
  'MAILS_PER_ADDRESS' | 'MAILS_PER_ADDRESS_AND_SOURCE' | 'MAILS_PER_SOURCE'
>;

export interface MailAsked {
  /** What it is for. Counted apart, so that nobody keeps the owner of an address from a new password by asking for accounts with it. */
  readonly kind: 'account' | 'address' | 'password' | 'verification';
  /** From `sourceOf` (limits/attempts.ts). */
  readonly source: string;
  /** The address as it is compared. */
  readonly address: string;
}

/**
 * Counts one more mail that was asked for. False where the address has been sent enough lately, by this source or by all: nothing is sent
 * then, and the answer is the usual one, so that nobody is kept from theirs by who asks in their name. Throws UserError `too_many_attempts`
 * where the source asks too often.
 */
export async function countMail(
  db: Db,
  limits: MailLimits,
  { kind, source, address }: MailAsked,
  now: number,
): Promise<boolean> {
  const from = { key: `mail from ${source}`, limit: limits.MAILS_PER_SOURCE, seconds };
  const to = { key: `mail for ${kind} to ${address}`, seconds: per_address_seconds };
  const counters = [
    { ...to, key: `${to.key} from ${source}`, limit: limits.MAILS_PER_ADDRESS_AND_SOURCE }, // first: one source uses up its own share
    { ...to, limit: limits.MAILS_PER_ADDRESS },
  ];
  return db.transaction(async (trx) => {
    const by_source = await reserveAll(trx, [from], now);
    if (!by_source.allowed) throw tooMany(by_source.retry_after);
    return (await reserveAll(trx, counters, now)).allowed; // apart: a refused one stays counted for its source
  });
}

/**
 * Counts one more code that is sent to an address, for somebody who proved their password: apart from what strangers ask for, so that these
 * keep nobody from signing in. Throws UserError `too_many_attempts` where there were enough lately, which undoes the transaction.
 */
export async function countCode(
  trx: Trx,
  { MAILS_PER_ADDRESS: limit }: Pick<Config, 'MAILS_PER_ADDRESS'>,
  address: string,
  now: number,
): Promise<void> {
  const counter = { key: `code to ${address}`, limit, seconds: per_address_seconds };
  const reservation = await reserveAll(trx, [counter], now);
  if (!reservation.allowed) throw tooMany(reservation.retry_after);
}

function tooMany(retry_after: number): UserError {
  const values = { count: Math.ceil(retry_after / 60) };
  return new UserError('too_many_attempts', { key: 'reset.too_many', values }, null, retry_after);
}
