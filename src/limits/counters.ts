/** The one way in which attempts are counted, by conditional statements, whatever they are at: so that parallel ones cannot pass together. */
import { digest } from '../secrets.js';
import * as attempts from '../store/attempts.js';
import type { Trx } from '../store/db.js';

export interface Counter {
  readonly key: string;
  /** How many are allowed in `seconds`. */
  readonly limit: number;
  readonly seconds: number;
}

export type Reservation =
  | { readonly allowed: true; readonly key_hashes: readonly string[] }
  | { readonly allowed: false; readonly retry_after: number };

/** Counts one more under each of these, in this order. Where one of them is used up it is refused and counted nowhere. */
export async function reserveAll(trx: Trx, counters: readonly Counter[], now: number): Promise<Reservation> {
  const key_hashes: string[] = [];
  for (const { key, limit, seconds } of counters) {
    const key_hash = digest(key);
    const expires_at = now + seconds;
    if (!(await attempts.reserve(trx, { key_hash, now, expires_at, limit }))) {
      await giveBack(trx, key_hashes);
      const until = (await attempts.find(trx, key_hash))?.expires_at ?? expires_at;
      return { allowed: false, retry_after: Math.max(1, until - now) };
    }
    key_hashes.push(key_hash);
  }
  return { allowed: true, key_hashes };
}

/** Takes a reservation back: what was tried was right. */
export async function giveBack(trx: Trx, key_hashes: readonly string[]): Promise<void> {
  for (const key_hash of key_hashes) await attempts.giveBack(trx, key_hash);
}
