/** Table attempts: failed sign-ins counted per key in a window. Keys are digests. Rows expire by themselves. */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

const reserveAttempt = statement<
  { key_hash: string; now: number; expires_at: number; limit: number },
  { count: number }
>((sql, value) =>
  sql('attempts')
    .insert({ key_hash: value.key_hash, count: 1, expires_at: value.expires_at })
    .onConflict('key_hash')
    .merge({
      count: sql.raw('case when attempts.expires_at <= ? then 1 else attempts.count + 1 end', [value.now]),
      expires_at: sql.raw('case when attempts.expires_at <= ? then ? else attempts.expires_at end', [
        value.now,
        value.expires_at,
      ]),
    })
    .whereRaw('(attempts.count < ? or attempts.expires_at <= ?)', [value.limit, value.now])
    .returning('count'),
);

/** Counts one more attempt, if the limit allows it: one statement, so that parallel attempts cannot pass together. */
export async function reserve(
  trx: Trx,
  attempt: { key_hash: string; now: number; expires_at: number; limit: number },
): Promise<boolean> {
  return (await trx.first(reserveAttempt, attempt)) !== undefined;
}

const giveBackAttempt = statement<{ key_hash: string }>((sql, value) =>
  sql('attempts').where({ key_hash: value.key_hash }).where('count', '>', 0).decrement('count', 1),
);

/** Takes back one attempt that turned out right. */
export async function giveBack(trx: Trx, key_hash: string): Promise<void> {
  await trx.run(giveBackAttempt, { key_hash });
}

const byKey = statement<{ key_hash: string }, { count: number; expires_at: number }>((sql, value) =>
  sql('attempts').where({ key_hash: value.key_hash }),
);

export function find(
  db: Queryable,
  key_hash: string,
): Promise<{ count: number; expires_at: number } | undefined> {
  return db.first(byKey, { key_hash });
}
