/** Table credentials: one row for each way a user proves who they are. `secret` holds an argon2id hash for type password. */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface CredentialRow {
  id: string;
  user_id: string;
  type: 'password';
  secret: string;
  created_at: number;
  updated_at: number;
}

const insertCredential = statement<CredentialRow>((sql, value) =>
  sql('credentials').insert({
    id: value.id,
    user_id: value.user_id,
    type: value.type,
    secret: value.secret,
    created_at: value.created_at,
    updated_at: value.updated_at,
  }),
);

export async function insert(db: Db | Trx, row: CredentialRow): Promise<void> {
  await db.run(insertCredential, row);
}

const byType = statement<{ user_id: string; type: string }, CredentialRow>((sql, value) =>
  sql('credentials').where({ user_id: value.user_id, type: value.type }).orderBy('created_at', 'desc'),
);

export function find(
  db: Queryable,
  user_id: string,
  type: CredentialRow['type'],
): Promise<CredentialRow | undefined> {
  return db.first(byType, { user_id, type });
}

const lockSecret = statement<{ id: string; secret: string }, { id: string }>((sql, value) =>
  sql('credentials').select('id').where({ id: value.id, secret: value.secret }).forShare(),
);

/** Whether a credential still has this secret, and keeps it so until the transaction ends: who changes it meanwhile waits. */
export async function lock(trx: Trx, id: string, secret: string): Promise<boolean> {
  return (await trx.first(lockSecret, { id, secret })) !== undefined;
}

const deleteByType = statement<{ user_id: string; type: string }>((sql, value) =>
  sql('credentials').where({ user_id: value.user_id, type: value.type }).delete(),
);

export function removeAll(trx: Trx, user_id: string, type: CredentialRow['type']): Promise<number> {
  return trx.run(deleteByType, { user_id, type });
}

const replaceSecret = statement<{ id: string; before: string; secret: string; now: number }>((sql, value) =>
  sql('credentials')
    .where({ id: value.id, secret: value.before })
    .update({ secret: value.secret, updated_at: value.now }),
);

/** Puts a renewed hash in place of `before`. False if it was changed meanwhile: then nothing is overwritten. */
export async function renew(
  db: Db | Trx,
  id: string,
  before: string,
  secret: string,
  now: number,
): Promise<boolean> {
  return (await db.run(replaceSecret, { id, before, secret, now })) === 1;
}
