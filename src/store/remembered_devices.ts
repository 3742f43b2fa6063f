/**
 * Table remembered_devices: one row for each browser that is spared the second factor of one person for a while. The browser's mark is
 * 256 random bits, the row holds their SHA-256.
 */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface RememberedDeviceRow {
  id: string;
  token_hash: string;
  user_id: string;
  /** The browser and its system by their usual names; '' where they are not known. */
  name: string;
  created_at: number;
  last_used_at: number;
  expires_at: number;
}

const insertDevice = statement<RememberedDeviceRow>((sql, value) =>
  sql('remembered_devices').insert({
    id: value.id,
    token_hash: value.token_hash,
    user_id: value.user_id,
    name: value.name,
    created_at: value.created_at,
    last_used_at: value.last_used_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(trx: Trx, row: RememberedDeviceRow): Promise<void> {
  await trx.run(insertDevice, row);
}

const noteUse = statement<{ token_hash: string; user_id: string; now: number }>((sql, value) =>
  sql('remembered_devices')
    .where({ token_hash: value.token_hash, user_id: value.user_id })
    .where('expires_at', '>', value.now)
    .update({ last_used_at: value.now }),
);

/** Whether a mark is good for a person now, and notes that it was used. */
export async function use(
  trx: Trx,
  mark: { token_hash: string; user_id: string; now: number },
): Promise<boolean> {
  return (await trx.run(noteUse, mark)) === 1;
}

const ofUser = statement<{ user_id: string; now: number }, RememberedDeviceRow>((sql, value) =>
  sql('remembered_devices')
    .where({ user_id: value.user_id })
    .where('expires_at', '>', value.now)
    .orderBy('last_used_at', 'desc')
    .limit(100),
);

/** Those of a person that are good now, the last used one first. */
export function list(db: Queryable, user_id: string, now: number): Promise<RememberedDeviceRow[]> {
  return db.all(ofUser, { user_id, now });
}

const deleteOne = statement<{ id: string; user_id: string }>((sql, value) =>
  sql('remembered_devices').where({ id: value.id, user_id: value.user_id }).delete(),
);

/** False if the person has no such device any more. */
export async function remove(trx: Trx, own: { id: string; user_id: string }): Promise<boolean> {
  return (await trx.run(deleteOne, own)) === 1;
}

const deleteByUser = statement<{ user_id: string }>((sql, value) =>
  sql('remembered_devices').where({ user_id: value.user_id }).delete(),
);

/** Forgets all devices of a person. Returns how many. */
export function removeAll(trx: Trx, user_id: string): Promise<number> {
  return trx.run(deleteByUser, { user_id });
}
