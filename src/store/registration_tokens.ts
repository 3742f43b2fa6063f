/** Table registration_tokens: initial access tokens, by which clients may register themselves (RFC 7591 §3). A row holds the digest alone. */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface RegistrationTokenRow {
  id: string;
  /** SHA-256 of the token, which has 256 random bits. */
  token_hash: string;
  note: string;
  uses_left: number;
  created_at: number;
  expires_at: number;
}

const insertToken = statement<RegistrationTokenRow>((sql, value) =>
  sql('registration_tokens').insert({
    id: value.id,
    token_hash: value.token_hash,
    note: value.note,
    uses_left: value.uses_left,
    created_at: value.created_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(db: Db | Trx, row: RegistrationTokenRow): Promise<void> {
  await db.run(insertToken, row);
}

const all = statement<Record<never, never>, RegistrationTokenRow>((sql) =>
  sql('registration_tokens').orderBy('created_at').orderBy('id'),
);

export function list(db: Queryable): Promise<RegistrationTokenRow[]> {
  return db.all(all, {});
}

const living = statement<{ token_hash: string; now: number }, RegistrationTokenRow>((sql, value) =>
  sql('registration_tokens')
    .where({ token_hash: value.token_hash })
    .where('uses_left', '>', 0)
    .where('expires_at', '>', value.now),
);

/** A token that can still be used. */
export function find(
  db: Queryable,
  token_hash: string,
  now: number,
): Promise<RegistrationTokenRow | undefined> {
  return db.first(living, { token_hash, now });
}

const useToken = statement<{ id: string; now: number }>((sql, value) =>
  sql('registration_tokens')
    .where({ id: value.id })
    .where('uses_left', '>', 0)
    .where('expires_at', '>', value.now)
    .decrement('uses_left', 1),
);

/** Takes one use. False if there is none left: one statement, so that the last use is one client's. */
export async function use(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await trx.run(useToken, { id, now })) === 1;
}

const deleteToken = statement<{ id: string }>((sql, value) =>
  sql('registration_tokens').where({ id: value.id }).delete(),
);

export async function remove(trx: Trx, id: string): Promise<boolean> {
  return (await trx.run(deleteToken, { id })) === 1;
}
