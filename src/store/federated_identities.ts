/**
 * Table federated_identities: one row for each person of another provider whom we know as somebody here. A subject of a provider is one
 * person at most.
 */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface FederatedIdentityRow {
  id: string;
  provider_id: string;
  /** The `sub` there. */
  subject: string;
  user_id: string;
  /** What the person may know the account there by: an address or a name. Nothing is decided by it. */
  label: string | null;
  created_at: number;
  last_used_at: number;
}

const insertIdentity = statement<FederatedIdentityRow>((sql, value) =>
  sql('federated_identities')
    .insert({
      id: value.id,
      provider_id: value.provider_id,
      subject: value.subject,
      user_id: value.user_id,
      label: value.label,
      created_at: value.created_at,
      last_used_at: value.last_used_at,
    })
    .onConflict(['provider_id', 'subject'])
    .ignore(),
);

/** Links a subject to a user. False if it is linked already, to whomever. */
export async function insert(db: Db | Trx, row: FederatedIdentityRow): Promise<boolean> {
  return (await db.run(insertIdentity, row)) === 1;
}

interface Subject {
  readonly provider_id: string;
  readonly subject: string;
}

const bySubject = statement<Subject, FederatedIdentityRow>((sql, value) =>
  sql('federated_identities').where({ provider_id: value.provider_id, subject: value.subject }),
);

export function findBySubject(
  db: Queryable,
  { provider_id, subject }: Subject,
): Promise<FederatedIdentityRow | undefined> {
  return db.first(bySubject, { provider_id, subject });
}

const touchIdentity = statement<Subject & Pick<FederatedIdentityRow, 'user_id' | 'label'> & { now: number }>(
  (sql, value) =>
    sql('federated_identities')
      .where({ provider_id: value.provider_id, subject: value.subject, user_id: value.user_id })
      .update({ label: value.label, last_used_at: value.now }),
);

/** Notes that an identity is used. False if it was taken away from the user meanwhile. */
export async function touch(
  trx: Trx,
  identity: Subject & Pick<FederatedIdentityRow, 'user_id' | 'label'>,
  now: number,
): Promise<boolean> {
  return (await trx.run(touchIdentity, { ...identity, now })) === 1;
}

const ofUser = statement<{ user_id: string }, FederatedIdentityRow>((sql, value) =>
  sql('federated_identities').where({ user_id: value.user_id }).orderBy('created_at').orderBy('id'),
);

/** The identities of a user, the oldest first. */
export function listByUser(db: Queryable, user_id: string): Promise<FederatedIdentityRow[]> {
  return db.all(ofUser, { user_id });
}

const deleteIdentity = statement<{ id: string; user_id: string }, FederatedIdentityRow>(
  (sql, value) =>
    sql.raw('delete from federated_identities where id = ? and user_id = ? returning *', [
      value.id,
      value.user_id,
    ]), // knex's SQLite builder leaves returning out
);

/** Takes an identity away from a user. Gives what it was; undefined if it was not theirs. */
export function remove(trx: Trx, id: string, user_id: string): Promise<FederatedIdentityRow | undefined> {
  return trx.first(deleteIdentity, { id, user_id });
}

const waysIn = statement<{ user_id: string }, { way: string }>((sql, value) =>
  sql.raw(
    `select 'password' as way from credentials where user_id = ? and type = 'password'
      union all select 'passkey' from passkeys where user_id = ? and stands_alone = 1
      union all select 'provider' from federated_identities
        join identity_providers on identity_providers.id = federated_identities.provider_id
        where user_id = ? and disabled_at is null
      limit 1`,
    [value.user_id, value.user_id, value.user_id],
  ),
);

/** Whether a user can sign in: by a password, a passkey that stands alone, or a provider that is in use. */
export async function hasWayIn(db: Queryable, user_id: string): Promise<boolean> {
  return (await db.first(waysIn, { user_id })) !== undefined;
}
