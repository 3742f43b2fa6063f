/** How often one source may try to register, or change, a client without an initial access token: counted by one conditional statement. */
import type { Db } from '../store/db.js';
import { reserveAll } from './counters.js';

/** Counts one more try. Null where it is allowed, else the seconds after which the next one is. `source` is from `sourceOf`. */
export async function countRegistration(
  db: Db,
  source: string,
  limit: number,
  now: number,
): Promise<number | null> {
  const counter = { key: `registration from ${source}`, limit, seconds: 3600 };
  const reservation = await db.transaction((trx) => reserveAll(trx, [counter], now));
  return reservation.allowed ? null : reservation.retry_after;
}
