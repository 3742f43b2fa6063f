/**
 * Limits on guessing second factors, beside the five attempts of each sign-in: counted per account, so that they survive starting over.
 * Who guesses has proved the password, so this is no way to lock a stranger out. Hardening rows 14 and 15, and numbers.
 */
import type { Trx } from '../store/db.js';
import { type Counter, type Reservation, reserveAll } from './counters.js';

/** Of six digits three are right at a time: in a day's wrong codes one in some eight thousand accounts is guessed. */
const countersOf = (user_id: string): readonly Counter[] => [
  { key: `factor quarter ${user_id}`, seconds: 15 * 60, limit: 10 },
  { key: `factor day ${user_id}`, seconds: 86_400, limit: 40 },
];

/** Counts an attempt at a second factor of a user, unless there were too many. Refused, it is counted nowhere. */
export function reserve(trx: Trx, user_id: string, now: number): Promise<Reservation> {
  return reserveAll(trx, countersOf(user_id), now);
}
