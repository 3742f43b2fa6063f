/** Table assertion_ids: what may be used once, until it expires: the jti of client assertions (RFC 7523 §3), challenges of passkeys. */
import type { Db, Trx } from './db.js';
import { statement } from './statement.js';

const insertId = statement<{ id_hash: string; expires_at: number }>((sql, value) =>
  sql('assertion_ids')
    .insert({ id_hash: value.id_hash, expires_at: value.expires_at })
    .onConflict('id_hash')
    .ignore(),
);

/** Notes that it was used. False if it was before. */
export async function insert(db: Db | Trx, id_hash: string, expires_at: number): Promise<boolean> {
  return (await db.run(insertId, { id_hash, expires_at })) === 1;
}
