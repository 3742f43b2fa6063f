/**
 * Table status_revocations: one row for each index of a status list whose bit is set, until the last token that names it has expired.
 * Written by the transaction that revokes.
 */
import { among } from './batched.js';
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';
import type { StatusIndex } from './status_lists.js';

export interface StatusRevocationRow extends StatusIndex {
  /** Counts up in the order in which rows are written; they are committed in any order. */
  readonly position: number;
  /** `list.index`. */
  readonly id: string;
  readonly revoked_at: number;
  readonly expires_at: number;
}

/** Rows read at once. */
const page_size = 5000;

const insertOne = statement<Omit<StatusRevocationRow, 'position'>>((sql, value) =>
  sql('status_revocations')
    .insert({
      id: value.id,
      status_list: value.status_list,
      status_index: value.status_index,
      revoked_at: value.revoked_at,
      expires_at: value.expires_at,
    })
    .onConflict('id')
    .ignore(),
);

/** Sets the bit of one index until `expires_at`. */
export async function insert(trx: Trx, index: StatusIndex, revoked_at: number, expires_at: number) {
  const { status_list, status_index } = index;
  const id = `${status_list}.${status_index}`;
  await trx.run(insertOne, { id, status_list, status_index, revoked_at, expires_at });
}

/** Of the authorizations that this transaction has just revoked, those with one of these values in a column. */
const ofRevoked = (column: string) =>
  statement<{ of: string; now: number }>((sql, value) =>
    sql.raw(
      `insert into status_revocations (id, status_list, status_index, revoked_at, expires_at)
      select status_list || '.' || status_index, status_list, status_index, revoked_at, expires_at from authorizations
      where ? and revoked_at = ? and status_list is not null on conflict (id) do nothing`,
      [among(sql, column, value.of), value.now],
    ),
  );

const insertions = {
  id: ofRevoked('id'),
  session_id: ofRevoked('session_id'),
  user_id: ofRevoked('user_id'),
  client_id: ofRevoked('client_id'),
};

/** Sets the bits of the authorizations that were revoked at `now` and have one of these values in this column. */
export async function insertRevoked(
  trx: Trx,
  column: keyof typeof insertions,
  of: readonly string[],
  now: number,
): Promise<void> {
  await trx.run(insertions[column], { of: JSON.stringify(of), now });
}

const ofList = statement<{ status_list: string; after: number }, { status_index: number }>((sql, value) =>
  sql('status_revocations')
    .select('status_index')
    .where({ status_list: value.status_list })
    .where('status_index', '>', value.after)
    .orderBy('status_index')
    .limit(page_size),
);

/** The next 5,000 revoked indices of a list after `after` (-1 for the first), in their order. */
export async function listIndices(db: Queryable, status_list: string, after: number): Promise<number[]> {
  return (await db.all(ofList, { status_list, after })).map(({ status_index }) => status_index);
}

const afterPosition = statement<{ position: number }, StatusRevocationRow>((sql, value) =>
  sql('status_revocations').where('position', '>', value.position).orderBy('position').limit(page_size),
);

/** The next 5,000 revocations that were written after the one at `position` (0 for the first). */
export function listAfter(db: Queryable, position: number): Promise<StatusRevocationRow[]> {
  return db.all(afterPosition, { position });
}

const last = statement<object, { position: number | null }>((sql) =>
  sql('status_revocations').max('position as position'),
);

/** Where the revocation is that was written last; 0 if there is none. */
export async function lastPosition(db: Queryable): Promise<number> {
  return (await db.first(last, {}))?.position ?? 0;
}
