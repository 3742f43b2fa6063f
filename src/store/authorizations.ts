/**
 * Table authorizations: one row for each user, client and session (or user and client, where offline_access was given), used by
 * every flow between them (decisions 7). Codes, refresh tokens and access tokens name it; revoking it ends them all.
 */
import type { Knex } from 'knex';
import { among, batched } from './batched.js';
import type { Db, Trx } from './db.js';
import { statement } from './statement.js';
import type { StatusIndex } from './status_lists.js';
import * as statusRevocations from './status_revocations.js';
import type { UserRow } from './users.js';

interface AuthorizationRow {
  id: string;
  user_id: string;
  client_id: string;
  /** The session it came from, also if it outlives it: the `sid` of its tokens. */
  sid: string;
  /** The session whose end ends it; '' for offline_access. */
  session_id: string;
  created_at: number;
  /** When its longest token will have expired. */
  expires_at: number;
  revoked_at: number | null;
  /** Where its tokens say that their status is; null for one from a release without status lists. */
  status_list: string | null;
  status_index: number | null;
}

type NewAuthorization = Omit<AuthorizationRow, 'revoked_at' | keyof StatusIndex> & StatusIndex;

export interface UpsertedAuthorization extends StatusIndex {
  readonly id: string;
  readonly user_id: string;
  readonly client_id: string;
  readonly session_id: string;
}

const orKeepTheOneThatLives = (sql: Knex) =>
  sql.raw(`
  on conflict (user_id, client_id, session_id) where revoked_at is null do update set expires_at =
    case when authorizations.expires_at < excluded.expires_at then excluded.expires_at else authorizations.expires_at end,
    status_list = coalesce(authorizations.status_list, excluded.status_list),
    status_index = coalesce(authorizations.status_index, excluded.status_index)
  returning id, user_id, client_id, session_id, status_list, status_index`);

/** A new row as long as the session it is for lives: the row to insert is selected from it. */
const upsertAuthorization = statement<NewAuthorization & { now: number }, UpsertedAuthorization>(
  (sql, value) =>
    sql.raw(
      `insert into authorizations (id, user_id, client_id, sid, session_id, created_at, expires_at, status_list, status_index)
      select ?, user_id, ?, id, ?, cast(? as bigint), cast(? as bigint), ?, cast(? as integer) from sessions
        where id = ? and user_id = ? and expires_at > ? limit 1 for share
      ?`,
      [
        ...[value.id, value.client_id, value.session_id, value.created_at, value.expires_at],
        ...[value.status_list, value.status_index, value.sid, value.user_id, value.now],
        orKeepTheOneThatLives(sql),
      ],
    ),
  {
    build: (sql, value) =>
      sql.raw(
        `insert into authorizations (id, user_id, client_id, sid, session_id, created_at, expires_at, status_list, status_index)
        select value ->> 'id', user_id, value ->> 'client_id', sessions.id, value ->> 'session_id', value ->> 'created_at',
          value ->> 'expires_at', value ->> 'status_list', value ->> 'status_index'
        from json_each(?) cross join sessions on sessions.id = value ->> 'sid'
          and user_id = value ->> 'user_id' and sessions.expires_at > value ->> 'now'
        where true
        ?`,
        [value.rows, orKeepTheOneThatLives(sql)],
      ),
    keyOf: ({ user_id, client_id, session_id }) => `${user_id} ${client_id} ${session_id}`,
  },
);

/**
 * The living authorization of this user, client and session; `row` becomes it if there is none. Undefined if the session
 * `sid` has ended. Who ends it at this moment waits until the transaction ends, and then ends what hangs on it, too. (SQLite has
 * one writer, so there is nobody to wait.)
 */
export async function upsert(
  trx: Trx,
  row: NewAuthorization,
  now: number,
): Promise<UpsertedAuthorization | undefined> {
  return trx.first(upsertAuthorization, { ...row, now });
}

/** The user of an authorization, and where its tokens have their status now. */
interface Holder extends UserRow {
  authorization_id: string;
  status_list: string | null;
  status_index: number | null;
}

const holders = statement<{ ids: string }, Holder>((sql, value) =>
  sql('authorizations')
    .join('users', 'users.id', 'authorizations.user_id')
    .join('clients', 'clients.client_id', 'authorizations.client_id')
    .select(
      'users.*',
      'authorizations.id as authorization_id',
      'authorizations.status_list',
      'authorizations.status_index',
    )
    .where(among(sql, 'authorizations.id', value.ids))
    .whereNull('authorizations.revoked_at')
    .whereNull('users.disabled_at')
    .whereNull('clients.disabled_at'),
);

/** The user of an authorization, if it lives and neither the user nor the client is disabled. */
export const findHolder: (db: Db, id: string) => Promise<Holder | undefined> = batched(
  (db, ids) => db.all(holders, { ids }),
  (row) => row.authorization_id,
);

const revokeWhere = (column: string) =>
  statement<{ of: string; now: number }>((sql, value) =>
    sql('authorizations')
      .where(among(sql, column, value.of))
      .whereNull('revoked_at')
      .update({ revoked_at: value.now }),
  );

const revocations = {
  id: revokeWhere('id'),
  session_id: revokeWhere('session_id'),
  user_id: revokeWhere('user_id'),
  client_id: revokeWhere('client_id'),
};

/** Ends those that live and have one of these values in this column, and their tokens with them. Returns how many. */
async function revokeBy(
  trx: Trx,
  column: keyof typeof revocations,
  of: readonly string[],
  now: number,
): Promise<number> {
  const revoked = await trx.run(revocations[column], { of: JSON.stringify(of), now });
  if (revoked > 0) await statusRevocations.insertRevoked(trx, column, of, now);
  return revoked;
}

/** Ends an authorization with all its codes and tokens. False if it had ended before. */
export async function revoke(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await revokeBy(trx, 'id', [id], now)) === 1;
}

/** Ends what hangs on sessions. What was given offline_access goes on. */
export function revokeBySessions(trx: Trx, session_ids: readonly string[], now: number): Promise<number> {
  return revokeBy(trx, 'session_id', session_ids, now);
}

/** The same for sessions that were not used for so long that no access token of theirs lives: there is no bit to set. */
export function revokeByIdleSessions(trx: Trx, session_ids: readonly string[], now: number): Promise<number> {
  return trx.run(revocations.session_id, { of: JSON.stringify(session_ids), now });
}

/** Ends everything of a user, offline_access too. */
export function revokeByUser(trx: Trx, user_id: string, now: number): Promise<number> {
  return revokeBy(trx, 'user_id', [user_id], now);
}

const revokeOfUserAndClient = statement<{ user_id: string; client_id: string; now: number }>((sql, value) =>
  sql('authorizations')
    .where({ user_id: value.user_id, client_id: value.client_id })
    .whereNull('revoked_at')
    .update({ revoked_at: value.now }),
);

/** Ends everything that a user gave to a client, offline_access too. Returns how many. */
export async function revokeByUserAndClient(
  trx: Trx,
  { user_id, client_id }: { readonly user_id: string; readonly client_id: string },
  now: number,
): Promise<number> {
  const revoked = await trx.run(revokeOfUserAndClient, { user_id, client_id, now });
  if (revoked > 0) await statusRevocations.insertRevoked(trx, 'user_id', [user_id], now);
  return revoked;
}

/** Ends everything of a client. */
export function revokeByClient(trx: Trx, client_id: string, now: number): Promise<number> {
  return revokeBy(trx, 'client_id', [client_id], now);
}

const setStatus = statement<StatusIndex & { id: string; old_list: string; old_index: number }>((sql, value) =>
  sql('authorizations')
    .where({ id: value.id, status_list: value.old_list, status_index: value.old_index })
    .whereNull('revoked_at')
    .update({ status_list: value.status_list, status_index: value.status_index }),
);

/**
 * Revokes the access tokens that an authorization has yielded, and nothing else of it: those to come have another status
 * (decisions 7). `expires_at` is when the last of the old ones will have expired. False if that was done before, or it has ended.
 */
export async function renewStatus(
  trx: Trx,
  id: string,
  { before, after, expires_at }: { before: StatusIndex; after: StatusIndex; expires_at: number },
  now: number,
): Promise<boolean> {
  const old = { old_list: before.status_list, old_index: before.status_index };
  if ((await trx.run(setStatus, { id, ...old, ...after })) !== 1) return false;
  await statusRevocations.insert(trx, before, now, expires_at);
  return true;
}

const extendOne = statement<{ id: string; expires_at: number }>((sql, value) =>
  sql('authorizations')
    .where({ id: value.id })
    .where('expires_at', '<', value.expires_at)
    .update({ expires_at: value.expires_at }),
);

/** Keeps the row until `expires_at`, when its longest token has expired. */
export async function extend(db: Db | Trx, id: string, expires_at: number): Promise<void> {
  await db.run(extendOne, { id, expires_at });
}

const keepOfSession = statement<{ session_id: string; expires_at: number }>((sql, value) =>
  sql('authorizations')
    .where({ session_id: value.session_id })
    .whereNull('revoked_at')
    .where('expires_at', '<', value.expires_at)
    .update({ expires_at: value.expires_at }),
);

/** Keeps the rows of a session that goes on until then: they tell whom its end is told. */
export async function keep(trx: Trx, session_id: string, expires_at: number): Promise<void> {
  await trx.run(keepOfSession, { session_id, expires_at });
}
