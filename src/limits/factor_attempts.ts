/**
 * Limits on guessing second factors, beside the five attempts of each sign-in: counted per account, so that they survive starting over.
 * Who guesses has proved the password, so this is no way to lock a stranger out. Hardening rows 14 and 15, and numbers.
 */
import { digest } from '../secrets.js';
import * as attempts from '../store/attempts.js';
import type { Trx } from '../store/db.js';
import type { Reservation } from './attempts.js';

/** Of six digits three are right at a time: in a day's wrong codes one in some eight thousand accounts is guessed. */
const windows = [
  { name: 'quarter', seconds: 15 * 60, most: 10 },
  { name: 'day', seconds: 86_400, most: 40 },
] as const;

const keyOf = (user_id: string, name: string) => digest(`factor ${name} ${user_id}`);

/** Counts an attempt at a second factor of a user, unless there were too many. Refused, it is counted nowhere. */
export async function reserve(trx: Trx, user_id: string, now: number): Promise<Reservation> {
  const key_hashes: string[] = [];
  for (const { name, seconds, most: limit } of windows) {
    const key_hash = keyOf(user_id, name);
    const expires_at = now + seconds;
    if (!(await attempts.reserve(trx, { key_hash, now, expires_at, limit }))) {
      for (const reserved of key_hashes) await attempts.giveBack(trx, reserved);
      const until = (await attempts.find(trx, key_hash))?.expires_at ?? expires_at;
      return { allowed: false, retry_after: Math.max(1, until - now) };
    }
    key_hashes.push(key_hash);
  }
  return { allowed: true, key_hashes };
}

/** Takes one attempt back: it was right. */
export async function giveBack(trx: Trx, user_id: string): Promise<void> {
  for (const { name } of windows) await attempts.giveBack(trx, keyOf(user_id, name));
}
