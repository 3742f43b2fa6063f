/**
 * Limits on guessing passwords: counted before the check by one conditional statement, given back on success, so that parallel
 * guesses cannot slip through and only failures stay counted. Decisions 13; hardening rows 14 and 15.
 */
import ipaddr from 'ipaddr.js';
import type { Trx } from '../store/db.js';
import { type Counter, type Reservation, reserveAll } from './counters.js';

const seconds = 15 * 60;

export interface AttemptLimits {
  readonly ATTEMPTS_PER_ACCOUNT: number;
  readonly ATTEMPTS_PER_SOURCE: number;
  readonly ATTEMPTS_UNKNOWN_SOURCES: number;
}

export interface Attempt {
  /** The user's id or, for an address without an account, the address as it is compared. */
  readonly account: string;
  /** The client's network, from `sourceOf`. */
  readonly source: string;
  /** The known browser it comes from: it signed in to this account before. Null for any other. */
  readonly device: string | null;
}

/**
 * Counts an attempt under all its keys. Where one of them is used up it is refused and counted nowhere: nothing was guessed, and
 * who hammers on one account does not use up what their neighbours have. The source comes first, so that one source cannot make
 * rows for ever more accounts.
 */
export function reserve(
  trx: Trx,
  attempt: Attempt,
  limits: AttemptLimits,
  now: number,
): Promise<Reservation> {
  return reserveAll(trx, keysOf(attempt, limits), now);
}

/** The same for passkeys, which nobody guesses: counted is the work that one source makes with those that are wrong. */
export function reservePasskey(
  trx: Trx,
  source: string,
  { ATTEMPTS_PER_SOURCE: limit }: Pick<AttemptLimits, 'ATTEMPTS_PER_SOURCE'>,
  now: number,
): Promise<Reservation> {
  return reserveAll(trx, [{ key: `passkeys from ${source}`, limit, seconds }], now);
}

function keysOf({ account, source, device }: Attempt, limits: AttemptLimits): readonly Counter[] {
  const { ATTEMPTS_PER_ACCOUNT, ATTEMPTS_PER_SOURCE, ATTEMPTS_UNKNOWN_SOURCES } = limits;
  if (device !== null) return [{ key: `device ${account} ${device}`, limit: ATTEMPTS_PER_ACCOUNT, seconds }];
  return [
    { key: `source ${source}`, limit: ATTEMPTS_PER_SOURCE, seconds },
    { key: `account ${account} from ${source}`, limit: ATTEMPTS_PER_ACCOUNT, seconds },
    { key: `account ${account}`, limit: ATTEMPTS_UNKNOWN_SOURCES, seconds },
  ];
}

/** The network an address belongs to, in one spelling: its /24 for IPv4 (also when mapped into IPv6), its /64 for IPv6. */
export function sourceOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  const bytes = parsed.toByteArray();
  return parsed.kind() === 'ipv4' ? `4:${bytes.slice(0, 3).join('.')}` : `6:${bytes.slice(0, 8).join('.')}`;
}
