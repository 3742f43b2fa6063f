/** Table leases: which job is running somewhere, so that of many processes one runs it; and rows that transactions wait for in turn. */
import type { Trx } from './db.js';
import { statement } from './statement.js';

const takeLease = statement<{ name: string; now: number; expires_at: number }, { name: string }>(
  (sql, value) =>
    sql('leases')
      .insert({ name: value.name, expires_at: value.expires_at })
      .onConflict('name')
      .merge(['expires_at'])
      .where('leases.expires_at', '<=', value.now)
      .returning('name'),
);

/** Takes a lease until `expires_at`. False if another process holds it. */
export async function take(trx: Trx, name: string, now: number, expires_at: number): Promise<boolean> {
  return (await trx.first(takeLease, { name, now, expires_at })) !== undefined;
}

/** Lets one transaction at a time go on from here, of all that hold this name, until it ends. */
export async function hold(trx: Trx, name: string, now: number): Promise<void> {
  await take(trx, name, now, now); // over at once: it is its row that others wait for
}
