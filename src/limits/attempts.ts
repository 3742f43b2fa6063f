/**
 * Limits on guessing passwords: counted before the check by one conditional statement, given back on success, so that parallel
 * guesses cannot slip through and only failures stay counted. Decisions 13; hardening rows 14 and 15.
 */
import ipaddr from 'ipaddr.js';
import { digest } from '../secrets.js';
import * as attempts from '../store/attempts.js';
import type { Trx } from '../store/db.js';

const window_seconds = 15 * 60;

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

export type Reservation =
  | { readonly allowed: true; readonly key_hashes: readonly string[] }
  | { readonly allowed: false; readonly retry_after: number };

/**
 * Counts an attempt under all its keys. Where one of them is used up it is refused and counted nowhere: nothing was guessed, and
 * who hammers on one account does not use up what their neighbours have. The source comes first, so that one source cannot make
 * rows for ever more accounts.
 */
export async function reserve(
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
  return reserveAll(trx, [{ key: `passkeys from ${source}`, limit }], now);
}

interface Counter {
  readonly key: string;
  readonly limit: number;
}

async function reserveAll(trx: Trx, counters: readonly Counter[], now: number): Promise<Reservation> {
  const key_hashes: string[] = [];
  for (const { key, limit } of counters) {
    const key_hash = digest(key);
    const expires_at = now + window_seconds;
    if (!(await attempts.reserve(trx, { key_hash, now, expires_at, limit }))) {
      await giveBack(trx, key_hashes);
      const until = (await attempts.find(trx, key_hash))?.expires_at ?? expires_at;
      return { allowed: false, retry_after: Math.max(1, until - now) };
    }
    key_hashes.push(key_hash);
  }
  return { allowed: true, key_hashes };
}

function keysOf({ account, source, device }: Attempt, limits: AttemptLimits): readonly Counter[] {
  if (device !== null) return [{ key: `device ${account} ${device}`, limit: limits.ATTEMPTS_PER_ACCOUNT }];
  return [
    { key: `source ${source}`, limit: limits.ATTEMPTS_PER_SOURCE },
    { key: `account ${account} from ${source}`, limit: limits.ATTEMPTS_PER_ACCOUNT },
    { key: `account ${account}`, limit: limits.ATTEMPTS_UNKNOWN_SOURCES },
  ];
}

/** Takes a reservation back: what was tried was right. */
export async function giveBack(trx: Trx, key_hashes: readonly string[]): Promise<void> {
  for (const key_hash of key_hashes) await attempts.giveBack(trx, key_hash);
}

/** The network an address belongs to, in one spelling: its /24 for IPv4 (also when mapped into IPv6), its /64 for IPv6. */
export function sourceOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  const bytes = parsed.toByteArray();
  return parsed.kind() === 'ipv4' ? `4:${bytes.slice(0, 3).join('.')}` : `6:${bytes.slice(0, 8).join('.')}`;
}
