/**
 * Table authorizations: one row for each user, client and session (or user and client, where offline_access was given), used by
 * every flow between them (decisions 7). Codes, refresh tokens and access tokens name it; revoking it ends them all.
 */
import { among, batched } from './batched.js';
import type { Db, Trx } from './db.js';
import { forPostgres, statement } from './statement.js';
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
  expires_at: number;
  revoked_at: number | null;
}

type NewAuthorization = Omit<AuthorizationRow, 'revoked_at'>;

/** A new row as long as the session it is for lives: the row to insert is selected from it. */
const upsertAuthorization = statement<NewAuthorization & { now: number }, { id: string }>((sql, value) =>
  sql.raw(
    `insert into authorizations (id, user_id, client_id, sid, session_id, created_at, expires_at)
    select ?, user_id, ?, id, ?, cast(? as bigint), cast(? as bigint) from sessions
      where id = ? and user_id = ? and expires_at > ? ?
    on conflict (user_id, client_id, session_id) where revoked_at is null do update set expires_at =
      case when authorizations.expires_at < excluded.expires_at then excluded.expires_at else authorizations.expires_at end
    returning id`,
    [
      ...[value.id, value.client_id, value.session_id, value.created_at, value.expires_at],
      ...[value.sid, value.user_id, value.now],
      forPostgres(sql) ? sql.raw('limit 1 for share') : sql.raw('limit 1'),
    ],
  ),
);

/**
 * The id of the living authorization of this user, client and session; `row` becomes it if there is none. Undefined if the session
 * `sid` has ended. Who ends it at this moment waits until the transaction ends, and then ends what hangs on it, too. (SQLite has
 * one writer, so there is nobody to wait.)
 */
export async function upsert(trx: Trx, row: NewAuthorization, now: number): Promise<string | undefined> {
  return (await trx.first(upsertAuthorization, { ...row, now }))?.id;
}

/** The user of an authorization. */
interface Holder extends UserRow {
  authorization_id: string;
}

const holders = statement<{ ids: string }, Holder>((sql, value) =>
  sql('authorizations')
    .join('users', 'users.id', 'authorizations.user_id')
    .join('clients', 'clients.client_id', 'authorizations.client_id')
    .select('users.*', 'authorizations.id as authorization_id')
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

const revokeOne = statement<{ id: string; now: number }>((sql, value) =>
  sql('authorizations').where({ id: value.id }).whereNull('revoked_at').update({ revoked_at: value.now }),
);

/** Ends an authorization with all its codes and tokens. False if it had ended before. */
export async function revoke(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await trx.run(revokeOne, { id, now })) === 1;
}

const revokeOfSession = statement<{ session_id: string; now: number }>((sql, value) =>
  sql('authorizations')
    .where({ session_id: value.session_id })
    .whereNull('revoked_at')
    .update({ revoked_at: value.now }),
);

/** Ends what hangs on a session. What was given offline_access goes on. */
export function revokeBySession(trx: Trx, session_id: string, now: number): Promise<number> {
  return trx.run(revokeOfSession, { session_id, now });
}

const revokeOfUser = statement<{ user_id: string; now: number }>((sql, value) =>
  sql('authorizations')
    .where({ user_id: value.user_id })
    .whereNull('revoked_at')
    .update({ revoked_at: value.now }),
);

/** Ends everything of a user, offline_access too. */
export function revokeByUser(trx: Trx, user_id: string, now: number): Promise<number> {
  return trx.run(revokeOfUser, { user_id, now });
}

const revokeOfClient = statement<{ client_id: string; now: number }>((sql, value) =>
  sql('authorizations')
    .where({ client_id: value.client_id })
    .whereNull('revoked_at')
    .update({ revoked_at: value.now }),
);

/** Ends everything of a client. */
export function revokeByClient(trx: Trx, client_id: string, now: number): Promise<number> {
  return trx.run(revokeOfClient, { client_id, now });
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
