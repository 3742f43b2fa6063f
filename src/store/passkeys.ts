/**
 * Table passkeys: one row for each public key credential of a person (WebAuthn §4, "credential record"). Only public halves are here.
 * Flags are 0 or 1.
 */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface PasskeyRow {
  id: string;
  user_id: string;
  /** The authenticator's own id of it, base64url: unique over all people. */
  credential_id: string;
  /** A COSE key (RFC 9052 §7), base64url. */
  public_key: string;
  /** How often the authenticator says it has signed; 0 where it does not count. */
  sign_count: number;
  /** What the person calls it. */
  name: string;
  /** The make of the authenticator, a UUID; all zeros where it does not say. */
  aaguid: string;
  /** How a browser reaches it, words separated by spaces. */
  transports: string;
  /** Whether it may be copied to other devices. It never changes. */
  backup_eligible: number;
  /** Whether it has been. */
  backed_up: number;
  /** Whether it can sign in by itself: the authenticator finds it without being told its id, and asks who is there. */
  stands_alone: number;
  created_at: number;
  last_used_at: number | null;
}

const insertPasskey = statement<PasskeyRow>((sql, value) =>
  sql('passkeys')
    .insert({
      id: value.id,
      user_id: value.user_id,
      credential_id: value.credential_id,
      public_key: value.public_key,
      sign_count: value.sign_count,
      name: value.name,
      aaguid: value.aaguid,
      transports: value.transports,
      backup_eligible: value.backup_eligible,
      backed_up: value.backed_up,
      stands_alone: value.stands_alone,
      created_at: value.created_at,
      last_used_at: value.last_used_at,
    })
    .onConflict('credential_id')
    .ignore(),
);

/** Adds a passkey. False if its credential id is taken, by whomever (WebAuthn §7.1 step 26). */
export async function insert(db: Db | Trx, row: PasskeyRow): Promise<boolean> {
  return (await db.run(insertPasskey, row)) === 1;
}

const byUser = statement<{ user_id: string }, PasskeyRow>((sql, value) =>
  sql('passkeys').where({ user_id: value.user_id }).orderBy('created_at').orderBy('id'),
);

/** All passkeys of a person, the oldest first. */
export function list(db: Queryable, user_id: string): Promise<PasskeyRow[]> {
  return db.all(byUser, { user_id });
}

const byCredential = statement<{ credential_id: string }, PasskeyRow>((sql, value) =>
  sql('passkeys').where({ credential_id: value.credential_id }),
);

export function findByCredential(db: Queryable, credential_id: string): Promise<PasskeyRow | undefined> {
  return db.first(byCredential, { credential_id });
}

interface Use {
  readonly id: string;
  readonly sign_count: number;
  readonly backed_up: number;
  readonly now: number;
}

const noteUse = statement<Use>((sql, value) =>
  sql('passkeys')
    .where({ id: value.id })
    .whereRaw('(sign_count < ? or (sign_count = 0 and ? = 0))', [value.sign_count, value.sign_count])
    .update({ sign_count: value.sign_count, backed_up: value.backed_up, last_used_at: value.now }),
);

/**
 * Notes that a passkey has signed. False if it is there no more, or its counter has not risen: of two copies of one authenticator
 * the slower one is found out so (WebAuthn §6.1.1).
 */
export async function use(trx: Trx, used: Use): Promise<boolean> {
  return (await trx.run(noteUse, used)) === 1;
}

const setName = statement<{ id: string; user_id: string; name: string }>((sql, value) =>
  sql('passkeys').where({ id: value.id, user_id: value.user_id }).update({ name: value.name }),
);

/** False if the person has no such passkey. */
export async function rename(
  db: Db | Trx,
  own: { id: string; user_id: string; name: string },
): Promise<boolean> {
  return (await db.run(setName, own)) === 1;
}

const deleteByUser = statement<{ user_id: string }>((sql, value) =>
  sql('passkeys').where({ user_id: value.user_id }).delete(),
);

/** Removes all passkeys of a person. Returns how many. */
export function removeAll(trx: Trx, user_id: string): Promise<number> {
  return trx.run(deleteByUser, { user_id });
}

const deleteOne = statement<{ id: string; user_id: string }>((sql, value) =>
  sql('passkeys').where({ id: value.id, user_id: value.user_id }).delete(),
);

/** False if the person has no such passkey any more. */
export async function remove(trx: Trx, own: { id: string; user_id: string }): Promise<boolean> {
  return (await trx.run(deleteOne, own)) === 1;
}
