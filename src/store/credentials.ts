/**
 * Table credentials: one row for each way a user proves who they are. `secret` holds an argon2id hash for type password (until the first
 * sign-in also one of another system), a sealed key for type totp, a MAC for type recovery_code.
 */
import type { Knex } from 'knex';
import { among } from './batched.js';
import type { Db, Queryable, Trx } from './db.js';
import { insertMany } from './many.js';
import { statement } from './statement.js';

type CredentialType = 'password' | 'totp' | 'recovery_code';

export interface CredentialRow {
  id: string;
  user_id: string;
  type: CredentialType;
  secret: string;
  /** What the person calls it; null for what there is one of. */
  name: string | null;
  created_at: number;
  updated_at: number;
  last_used_at: number | null;
  /** For one-time passwords: the time step of the last one that was taken. */
  last_step: number | null;
}

const insertion = (sql: Knex, value: Readonly<CredentialRow>) =>
  sql('credentials').insert({
    id: value.id,
    user_id: value.user_id,
    type: value.type,
    secret: value.secret,
    name: value.name,
    created_at: value.created_at,
    updated_at: value.updated_at,
    last_used_at: value.last_used_at,
    last_step: value.last_step,
  });

const insertCredential = statement<CredentialRow>(insertion);

/** A credential that was not used yet. */
export interface NewCredential
  extends Pick<CredentialRow, 'id' | 'user_id' | 'type' | 'secret' | 'created_at' | 'updated_at'> {
  readonly name?: string;
}

export async function insert(db: Db | Trx, row: NewCredential): Promise<void> {
  await db.run(insertCredential, { name: null, ...row, last_used_at: null, last_step: null });
}

const insertAll = insertMany<CredentialRow>('credentials', {
  id: true,
  user_id: true,
  type: true,
  secret: true,
  name: true,
  created_at: true,
  updated_at: true,
  last_used_at: true,
  last_step: true,
});

/** Adds the credentials of users who have none of that type. */
export async function insertAllOf(trx: Trx, rows: readonly NewCredential[]): Promise<void> {
  const whole = rows.map((row) => ({ name: null, ...row, last_used_at: null, last_step: null }));
  await trx.all(insertAll, { rows: JSON.stringify(whole) });
}

const byTypeOfMany = statement<{ user_ids: string; type: string }, CredentialRow>((sql, value) =>
  sql('credentials')
    .where({ type: value.type })
    .where(among(sql, 'user_id', value.user_ids))
    .orderBy('created_at'),
);

/** The credentials of one type that these users have, older ones first. */
export function findAll(
  db: Queryable,
  user_ids: readonly string[],
  type: CredentialRow['type'],
): Promise<CredentialRow[]> {
  return db.all(byTypeOfMany, { user_ids: JSON.stringify(user_ids), type });
}

const insertNew = statement<CredentialRow>((sql, value) => insertion(sql, value).onConflict('id').ignore());

/** Adds a credential unless there is one with its id. False if there is: of any number at the same moment one gets true. */
export async function insertOnce(trx: Trx, row: NewCredential): Promise<boolean> {
  return (await trx.run(insertNew, { name: null, ...row, last_used_at: null, last_step: null })) === 1;
}

const deleteOne = statement<Own>((sql, value) =>
  sql('credentials').where({ id: value.id, user_id: value.user_id, type: value.type }).delete(),
);

interface Own {
  readonly id: string;
  readonly user_id: string;
  readonly type: CredentialRow['type'];
}

/** False if the person has no such credential any more. */
export async function remove(trx: Trx, own: Own): Promise<boolean> {
  return (await trx.run(deleteOne, own)) === 1;
}

const setName = statement<Own & { name: string }>((sql, value) =>
  sql('credentials')
    .where({ id: value.id, user_id: value.user_id, type: value.type })
    .update({ name: value.name }),
);

/** False if the person has no such credential. */
export async function rename(db: Db | Trx, own: Own & { name: string }): Promise<boolean> {
  return (await db.run(setName, own)) === 1;
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

const byUser = statement<{ user_id: string }, CredentialRow>((sql, value) =>
  sql('credentials').where({ user_id: value.user_id }).orderBy('created_at').orderBy('id'),
);

/** All of a user, the oldest first. */
export function listAll(db: Queryable, user_id: string): Promise<CredentialRow[]> {
  return db.all(byUser, { user_id });
}

/** All credentials of a type, the newest first. */
export function list(db: Queryable, user_id: string, type: CredentialRow['type']): Promise<CredentialRow[]> {
  return db.all(byType, { user_id, type });
}

const deleteBySecret = statement<{ user_id: string; secret: string }>((sql, value) =>
  sql('credentials').where({ user_id: value.user_id, type: 'recovery_code', secret: value.secret }).delete(),
);

/** Uses a recovery code up, by its MAC. False if there is none: of any number at the same moment one gets true. */
export async function useUp(trx: Trx, of: { user_id: string; secret: string }): Promise<boolean> {
  return (await trx.run(deleteBySecret, of)) === 1;
}

const takeStep = statement<{ id: string; step: number; now: number }>((sql, value) =>
  sql('credentials')
    .where({ id: value.id })
    .whereRaw('(last_step is null or last_step < ?)', [value.step])
    .update({ last_step: value.step, last_used_at: value.now }),
);

/** Uses a time step up. False if it, or a later one, was used before: of any number at the same moment one gets true. */
export async function useStep(trx: Trx, used: { id: string; step: number; now: number }): Promise<boolean> {
  return (await trx.run(takeStep, used)) === 1;
}

const passwordFrom = statement<{ id: string }, Pick<CredentialRow, 'secret'>>((sql, value) =>
  sql('credentials')
    .select('secret')
    .where('type', 'password')
    .where('id', '>=', value.id)
    .orderBy('id')
    .limit(1),
);

/** The secret of the password whose id comes next after `id`: of somebody or other, but always the same. Undefined after the last. */
export async function findSecretFrom(db: Queryable, id: string): Promise<string | undefined> {
  return (await db.first(passwordFrom, { id }))?.secret;
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
