/**
 * Who gives somebody an address waits here for whoever is about to give it to another: a statement that looks whether it is free, and then
 * writes, sees nothing on PostgreSQL of what is not committed yet, and would fail at the constraint instead of saying that it is taken.
 */
import type { Trx } from '../store/db.js';
import * as leases from '../store/leases.js';

/**
 * Until the transaction ends, nobody else gets an address. Before anything else in it that others wait for: who holds one of two things and
 * wants the other waits for ever where somebody has them the other way round.
 */
export async function holdAddresses(trx: Trx, now: number): Promise<void> {
  await leases.hold(trx, 'addresses', now);
}
