/**
 * Table users: one row for each person, with the standard claims of OpenID Connect Core §5.1 as columns. `id` is the `sub` of
 * every token. Flags are 0 or 1.
 */
import { among, batched } from './batched.js';
import type { Db, Queryable, Trx } from './db.js';
import { insertMany } from './many.js';
import { statement } from './statement.js';

export interface UserRow {
  id: string;
  email: string;
  /** The address as it is compared: NFC, lower case. */
  email_canonical: string;
  email_verified: number;
  name: string | null;
  family_name: string | null;
  given_name: string | null;
  middle_name: string | null;
  nickname: string | null;
  preferred_username: string | null;
  profile: string | null;
  picture: string | null;
  website: string | null;
  gender: string | null;
  birthdate: string | null;
  zoneinfo: string | null;
  locale: string | null;
  phone_number: string | null;
  phone_number_verified: number | null;
  /** A JSON object of strings. */
  address: string | null;
  /** Words separated by spaces. */
  roles: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  /** When the account is deleted, as its owner asked; null for nearly all. */
  deletes_at: number | null;
  /** Where a second factor is required: until when setting one up may be put off. Null until they are first asked. */
  factor_due_at: number | null;
}

const insertUser = statement<UserRow>((sql, value) =>
  sql('users')
    .insert({
      id: value.id,
      email: value.email,
      email_canonical: value.email_canonical,
      email_verified: value.email_verified,
      name: value.name,
      family_name: value.family_name,
      given_name: value.given_name,
      middle_name: value.middle_name,
      nickname: value.nickname,
      preferred_username: value.preferred_username,
      profile: value.profile,
      picture: value.picture,
      website: value.website,
      gender: value.gender,
      birthdate: value.birthdate,
      zoneinfo: value.zoneinfo,
      locale: value.locale,
      phone_number: value.phone_number,
      phone_number_verified: value.phone_number_verified,
      address: value.address,
      roles: value.roles,
      created_at: value.created_at,
      updated_at: value.updated_at,
      disabled_at: value.disabled_at,
      deletes_at: value.deletes_at,
      factor_due_at: value.factor_due_at,
    })
    .onConflict('email_canonical')
    .ignore(),
);

/** Adds a user. False if the address is taken: two at the same moment cannot both have it. */
/** Whether a person may look after the server. `roles` are words separated by spaces. */
export function isAdministrator({ roles }: Pick<UserRow, 'roles'>): boolean {
  return roles.split(' ').includes('admin');
}

export async function insert(db: Db | Trx, row: UserRow): Promise<boolean> {
  return (await db.run(insertUser, row)) === 1;
}

const insertAll = insertMany<UserRow>('users', {
  id: true,
  email: true,
  email_canonical: true,
  email_verified: true,
  name: true,
  family_name: true,
  given_name: true,
  middle_name: true,
  nickname: true,
  preferred_username: true,
  profile: true,
  picture: true,
  website: true,
  gender: true,
  birthdate: true,
  zoneinfo: true,
  locale: true,
  phone_number: true,
  phone_number_verified: true,
  address: true,
  roles: true,
  created_at: true,
  updated_at: true,
  disabled_at: true,
  deletes_at: true,
  factor_due_at: true,
});

/** Adds those of the users whose address and id nobody has. Gives their ids: two at the same moment cannot both be added. */
export async function insertNew(trx: Trx, rows: readonly UserRow[]): Promise<ReadonlySet<string>> {
  const added = await trx.all(insertAll, { rows: JSON.stringify(rows) });
  return new Set(added.map(({ id }) => id));
}

const namesOf = statement<{ ids: string; emails: string }, Pick<UserRow, 'id' | 'email_canonical'>>(
  (sql, value) =>
    sql('users')
      .select('id', 'email_canonical')
      .where(among(sql, 'id', value.ids))
      .orWhere(among(sql, 'email_canonical', value.emails)),
);

/** The users who have the id or the address of one of these. */
export function findTaken(
  db: Queryable,
  rows: readonly Pick<UserRow, 'id' | 'email_canonical'>[],
): Promise<Pick<UserRow, 'id' | 'email_canonical'>[]> {
  const ids = JSON.stringify(rows.map(({ id }) => id));
  return db.all(namesOf, { ids, emails: JSON.stringify(rows.map(({ email_canonical }) => email_canonical)) });
}

const byId = statement<{ id: string }, UserRow>((sql, value) => sql('users').where({ id: value.id }));

export function find(db: Queryable, id: string): Promise<UserRow | undefined> {
  return db.first(byId, { id });
}

const byIds = statement<{ ids: string }, UserRow>((sql, value) =>
  sql('users').where(among(sql, 'id', value.ids)),
);

/** A user, together with others that are asked for at the same moment: for what happens often. */
export const load: (db: Db, id: string) => Promise<UserRow | undefined> = batched(
  (db, ids) => db.all(byIds, { ids }),
  (row) => row.id,
);

const lockById = statement<{ id: string }, { id: string }>((sql, value) =>
  sql('users').select('id').where({ id: value.id }).whereNull('disabled_at').forShare(),
);

/** Whether a user may sign in, and keeps it so until the transaction ends: who disables them meanwhile waits. */
export async function lock(trx: Trx, id: string): Promise<boolean> {
  return (await trx.first(lockById, { id })) !== undefined;
}

const holdById = statement<{ id: string }, UserRow>((sql, value) =>
  sql('users').where({ id: value.id }).forUpdate(),
);

/** A user whom nobody else changes until the transaction ends. */
export function hold(trx: Trx, id: string): Promise<UserRow | undefined> {
  return trx.first(holdById, { id });
}

const setFactorDue = statement<{ id: string; factor_due_at: number }>((sql, value) =>
  sql('users')
    .where({ id: value.id })
    .whereNull('factor_due_at')
    .update({ factor_due_at: value.factor_due_at }),
);

/** Notes until when a person may put off setting up a second factor, unless that is noted already. */
export async function beginGrace(trx: Trx, id: string, factor_due_at: number): Promise<void> {
  await trx.run(setFactorDue, { id, factor_due_at });
}

const byEmail = statement<{ email_canonical: string }, UserRow>((sql, value) =>
  sql('users').where({ email_canonical: value.email_canonical }),
);

export function findByEmail(db: Queryable, email_canonical: string): Promise<UserRow | undefined> {
  return db.first(byEmail, { email_canonical });
}

const page = statement<{ after: string }, UserRow>((sql, value) =>
  sql('users').where('email_canonical', '>', value.after).orderBy('email_canonical').limit(500),
);

/** The next 500 users in the order of their address, after the canonical address `after` ('' for the first). */
export function list(db: Queryable, after: string): Promise<UserRow[]> {
  return db.all(page, { after });
}

const setDisabledAt = statement<{ id: string; disabled_at: number | null; now: number }>((sql, value) =>
  sql('users').where({ id: value.id }).update({ disabled_at: value.disabled_at, updated_at: value.now }),
);

/** Disables a user at `disabled_at`, or enables them with null. False if there is none. */
export async function disable(
  trx: Trx,
  id: string,
  disabled_at: number | null,
  now: number,
): Promise<boolean> {
  return (await trx.run(setDisabledAt, { id, disabled_at, now })) === 1;
}

const setVerified = statement<{ id: string; email_canonical: string; now: number }>((sql, value) =>
  sql('users')
    .where({ id: value.id, email_canonical: value.email_canonical })
    .whereNull('disabled_at')
    .update({
      email_verified: 1,
      updated_at: sql.raw('case when email_verified = 1 then updated_at else ? end', [value.now]),
    }),
);

/** Notes that a user showed that they have this address. False if it is not theirs now, or they may not sign in. */
export async function verifyEmail(
  trx: Trx,
  id: string,
  email_canonical: string,
  now: number,
): Promise<boolean> {
  return (await trx.run(setVerified, { id, email_canonical, now })) === 1;
}

const setEmail = statement<{ id: string; email: string; email_canonical: string; now: number }>(
  (sql, value) =>
    sql('users')
      .where({ id: value.id })
      .whereNull('disabled_at')
      .whereNotExists(
        sql('users as other')
          .select(sql.raw('1'))
          .where('other.email_canonical', value.email_canonical)
          .where('other.id', '<>', value.id),
      )
      .update({
        email: value.email,
        email_canonical: value.email_canonical,
        email_verified: 1,
        updated_at: value.now,
      }),
);

/** Gives a user another address, which they showed to be theirs. False if somebody else has it, or they may not sign in. */
export async function changeEmail(
  trx: Trx,
  id: string,
  address: Pick<UserRow, 'email' | 'email_canonical'>,
  now: number,
): Promise<boolean> {
  return (await trx.run(setEmail, { id, ...address, now })) === 1;
}

const deleteUser = statement<{ id: string }>((sql, value) => sql('users').where({ id: value.id }).delete());

/** Deletes a user with all that hangs on them. False if there is none. */
export async function remove(trx: Trx, id: string): Promise<boolean> {
  return (await trx.run(deleteUser, { id })) === 1;
}

/** An e-mail address as it is compared: without surrounding space, NFC, lower case. */
export function canonicalEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}
