/**
 * Table pushed_requests: one row for each authorization request that a client pushed (RFC 9126), and for each that was completed. A
 * row holds the SHA-256 of its reference, never the reference.
 */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface PushedRequestRow {
  reference_hash: string;
  client_id: string;
  /** Sealed; null where the reference holds the request itself, and the row tells no more than that it was completed. */
  request: string | null;
  /** Until when the reference is good; once it was completed, until when that is remembered. */
  expires_at: number;
  consumed_at: number | null;
}

type NewPushedRequest = Omit<PushedRequestRow, 'consumed_at' | 'request'> & {
  readonly request: string;
  readonly now: number;
  /** How many of a client may wait. */
  readonly limit: number;
};

const insertRequest = statement<NewPushedRequest>((sql, value) =>
  sql.raw(
    `insert into pushed_requests (reference_hash, client_id, request, expires_at)
    select ?, ?, ?, cast(? as bigint) where (select count(*) from
      (select 1 from pushed_requests where client_id = ? and consumed_at is null and expires_at > ? limit ?) as waiting) < ?`,
    [
      ...[value.reference_hash, value.client_id, value.request, value.expires_at],
      ...[value.client_id, value.now, value.limit, value.limit],
    ],
  ),
);

/** Keeps a request. False where so many of its client wait already. */
export async function insert(db: Db, row: NewPushedRequest): Promise<boolean> {
  return (await db.run(insertRequest, row)) === 1;
}

const byHash = statement<{ reference_hash: string }, PushedRequestRow>((sql, value) =>
  sql('pushed_requests').where({ reference_hash: value.reference_hash }),
);

export function find(db: Queryable, reference_hash: string): Promise<PushedRequestRow | undefined> {
  return db.first(byHash, { reference_hash });
}

const consumeRequest = statement<{
  reference_hash: string;
  client_id: string;
  expires_at: number;
  now: number;
}>((sql, value) =>
  sql('pushed_requests')
    .insert({
      reference_hash: value.reference_hash,
      client_id: value.client_id,
      expires_at: value.expires_at,
      consumed_at: value.now,
    })
    .onConflict('reference_hash')
    .merge(['consumed_at', 'expires_at'])
    .whereNull('pushed_requests.consumed_at'),
);

/**
 * Notes that a request was completed, whether it has a row or not, and remembers it until `expires_at`. False if it was completed
 * before: the condition and the write are one statement, so of two at the same moment one succeeds.
 */
export async function consume(
  trx: Trx,
  reference: Pick<PushedRequestRow, 'reference_hash' | 'client_id' | 'expires_at'>,
  now: number,
): Promise<boolean> {
  return (await trx.run(consumeRequest, { ...reference, now })) === 1;
}
