/** How often one source may try to register, or change, a client without an initial access token: counted by one conditional statement. */
import { digest } from '../secrets.js';
import * as attempts from '../store/attempts.js';
import type { Db } from '../store/db.js';

const window_seconds = 3600;

/** Counts one more try. Null where it is allowed, else the seconds after which the next one is. `source` is from `sourceOf`. */
export async function countRegistration(
  db: Db,
  source: string,
  limit: number,
  now: number,
): Promise<number | null> {
  const key_hash = digest(`registration from ${source}`);
  const expires_at = now + window_seconds;
  return db.transaction(async (trx) => {
    if (await attempts.reserve(trx, { key_hash, now, expires_at, limit })) return null;
    const until = (await attempts.find(trx, key_hash))?.expires_at ?? expires_at;
    return Math.max(1, until - now);
  });
}
