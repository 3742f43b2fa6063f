/** Table setup: whether an operator has claimed this server, and the digest of the link by which one can. One row. */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface SetupRow {
  claim_hash: string | null;
  claim_expires_at: number | null;
  claimed_at: number | null;
}

const only = statement<Record<never, never>, SetupRow>((sql) => sql('setup').where({ name: 'server' }));

export async function find(db: Queryable): Promise<SetupRow> {
  return (await db.first(only, {})) ?? { claim_hash: null, claim_expires_at: null, claimed_at: null };
}

const setLink = statement<{ claim_hash: string; claim_expires_at: number }>((sql, value) =>
  sql('setup')
    .where({ name: 'server' })
    .whereNull('claimed_at')
    .update({ claim_hash: value.claim_hash, claim_expires_at: value.claim_expires_at }),
);

/** Puts a new link in the place of the old one. False if the server has been claimed. */
export async function offer(trx: Trx, claim_hash: string, claim_expires_at: number): Promise<boolean> {
  return (await trx.run(setLink, { claim_hash, claim_expires_at })) === 1;
}

const setClaimed = statement<{ claim_hash: string; now: number }>((sql, value) =>
  sql('setup')
    .where({ name: 'server', claim_hash: value.claim_hash })
    .whereNull('claimed_at')
    .where('claim_expires_at', '>', value.now)
    .update({ claimed_at: value.now, claim_hash: null }),
);

/** Claims the server with the link's digest. False if it was claimed, or the link is another or has expired: one wins. */
export async function claim(trx: Trx, claim_hash: string, now: number): Promise<boolean> {
  return (await trx.run(setClaimed, { claim_hash, now })) === 1;
}

const setClaimedAnyway = statement<{ now: number }>((sql, value) =>
  sql('setup')
    .where({ name: 'server' })
    .whereNull('claimed_at')
    .update({ claimed_at: value.now, claim_hash: null }),
);

/** Claims the server because an administrator was added on its command line. */
export async function claimByOperator(trx: Trx, now: number): Promise<void> {
  await trx.run(setClaimedAnyway, { now });
}
