/**
 * Table status_lists: one row for each list of token statuses (IETF Token Status List). Indices are handed out in blocks, so that
 * a new authorization costs no write here. An index is handed out once in the life of its list; a list that nothing names any
 * more is deleted whole.
 */
import type { Db, Queryable } from './db.js';
import { statement } from './statement.js';

/** The place of a status: a list and an index in it. */
export interface StatusIndex {
  readonly status_list: string;
  readonly status_index: number;
}

/** Entries of one list. */
export const list_size = 2 ** 20;

interface Block {
  readonly status_list: string;
  /** The first index of the block. */
  readonly first: number;
}

const takeBlock = statement<
  { count: number; limit: number; now: number },
  { id: string; next_index: number }
>((sql, value) =>
  sql.raw(
    `update status_lists set next_index = next_index + ?, reserved_at = ?
      where next_index <= ? and id = (select id from status_lists where next_index <= ? order by created_at, id limit 1)
      returning id, next_index`,
    [value.count, value.now, value.limit, value.limit],
  ),
);

const addList = statement<{ id: string; now: number }>((sql, value) =>
  sql('status_lists')
    .insert({ id: value.id, created_at: value.now, reserved_at: value.now, next_index: 0 })
    .onConflict('id')
    .ignore(),
);

/** Takes `count` indices out of a list that has room; `new_list` becomes one if none has. Nobody else gets them. */
export async function reserve(db: Db, count: number, new_list: string, now: number): Promise<Block> {
  return db.transaction(async (trx) => {
    const values = { count, limit: list_size - count, now };
    let taken = await trx.first(takeBlock, values);
    if (taken === undefined) {
      await trx.run(addList, { id: new_list, now });
      taken = await trx.first(takeBlock, values);
    }
    if (taken === undefined) throw new Error('no status list has room, not even a new one');
    return { status_list: taken.id, first: taken.next_index - count };
  });
}

const all = statement<object, { id: string }>((sql) =>
  sql('status_lists').select('id').orderBy('created_at'),
);

/** The ids of all lists. */
export async function list(db: Queryable): Promise<string[]> {
  return (await db.all(all, {})).map(({ id }) => id);
}

const unused = statement<{ full: number; before: number }>((sql, value) =>
  sql('status_lists')
    .where('next_index', '>', value.full)
    .where('reserved_at', '<', value.before)
    .whereNotExists(
      sql('authorizations').whereRaw('authorizations.status_list = status_lists.id').select('id'),
    )
    .whereNotExists(sql('clients').whereRaw('clients.status_list = status_lists.id').select('client_id'))
    .whereNotExists(
      sql('status_revocations').whereRaw('status_revocations.status_list = status_lists.id').select('id'),
    )
    .delete(),
);

/**
 * Deletes the lists that are full and that nothing names: no authorization (its row outlives its last token), no client, no
 * revocation; and out of which nobody took a block since `before`. Returns how many.
 */
export function removeUnused(db: Db, count: number, before: number): Promise<number> {
  return db.run(unused, { full: list_size - count, before });
}
