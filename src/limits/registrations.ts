/**
 * What clients that nobody answers for may have the server do: how often one source may try to register or change one, and how much one may
 * have it remember. Counted by conditional statements.
 */
import type { Config } from '../config.js';
import type { Db, Trx } from '../store/db.js';
import { type Reservation, reserveAll } from './counters.js';

const seconds = 3600;

/** Counts one more try. Null where it is allowed, else the seconds after which the next one is. `source` is from `sourceOf`. */
export async function countRegistration(
  db: Db,
  source: string,
  limit: number,
  now: number,
): Promise<number | null> {
  const counter = { key: `registration from ${source}`, limit, seconds };
  const reservation = await db.transaction((trx) => reserveAll(trx, [counter], now));
  return reservation.allowed ? null : reservation.retry_after;
}

/** Counts one more assertion of such a client, a row that stays for an hour at most. To be given back where it was used before. */
export function reserveAssertion(
  trx: Trx,
  { CLIENT_REGISTRATION_ASSERTIONS: limit }: Pick<Config, 'CLIENT_REGISTRATION_ASSERTIONS'>,
  client_id: string,
  now: number,
): Promise<Reservation> {
  return reserveAll(trx, [{ key: `assertions of ${client_id}`, limit, seconds }], now);
}
