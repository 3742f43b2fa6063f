/**
 * Table sessions: one row for each browser that is signed in here. The cookie holds 256 random bits, the row their SHA-256.
 * `id` is the `sid` of tokens and never leaves in a cookie.
 */
import type { Knex } from 'knex';
import { among, batched } from './batched.js';
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface SessionRow {
  id: string;
  token_hash: string;
  user_id: string;
  auth_time: number;
  /** When the person last proved who they are: at the sign-in, or since, before something sensitive. */
  proven_at: number;
  amr: string;
  acr: string;
  /** The authorization request that the last sign-in answered. */
  auth_request: string | null;
  selected_at: number;
  selected_request: string | null;
  created_at: number;
  last_seen_at: number;
  /** The earlier of the idle and the absolute limit. */
  expires_at: number;
  absolute_expires_at: number;
  /** The browser's User-Agent header, up to 512 characters; '' where it is not known. */
  user_agent: string;
  /** The network address it signed in from; '' where it is not known. */
  address: string;
}

const insertSession = statement<SessionRow>((sql, value) =>
  sql('sessions').insert({
    id: value.id,
    token_hash: value.token_hash,
    user_id: value.user_id,
    auth_time: value.auth_time,
    proven_at: value.proven_at,
    amr: value.amr,
    acr: value.acr,
    auth_request: value.auth_request,
    selected_at: value.selected_at,
    selected_request: value.selected_request,
    created_at: value.created_at,
    last_seen_at: value.last_seen_at,
    expires_at: value.expires_at,
    absolute_expires_at: value.absolute_expires_at,
    user_agent: value.user_agent,
    address: value.address,
  }),
);

export async function insert(trx: Trx, row: SessionRow): Promise<void> {
  await trx.run(insertSession, row);
}

/** A session with what is asked of its user at every use. */
export interface LiveSession extends SessionRow {
  email: string;
  name: string | null;
  roles: string;
  /** The time zone of the person, where they gave one. */
  zoneinfo: string | null;
  /** When the account is deleted, as its owner asked; null for nearly all. */
  deletes_at: number | null;
}

const withUser = (sql: Knex) =>
  sql('sessions')
    .join('users', 'users.id', 'sessions.user_id')
    .select('sessions.*', 'users.email', 'users.name', 'users.roles', 'users.zoneinfo', 'users.deletes_at');

const byTokens = statement<{ token_hashes: string }, LiveSession>((sql, value) =>
  withUser(sql)
    .where(among(sql, 'sessions.token_hash', value.token_hashes))
    .whereNull('users.disabled_at'),
);

const findByToken = batched(
  (db, token_hashes) => db.all(byTokens, { token_hashes }),
  (row: LiveSession) => row.token_hash,
);

/** The session whose cookie has this digest, if it has not expired and its user may sign in. */
export async function findLive(db: Db, token_hash: string, now: number): Promise<LiveSession | undefined> {
  const session = await findByToken(db, token_hash);
  return session !== undefined && session.expires_at > now ? session : undefined;
}

const renewSession = statement<Omit<SessionRow, 'user_id' | 'created_at'> & { before: string }>(
  (sql, value) =>
    sql('sessions').where({ id: value.id, token_hash: value.before }).update({
      token_hash: value.token_hash,
      auth_time: value.auth_time,
      proven_at: value.proven_at,
      amr: value.amr,
      acr: value.acr,
      auth_request: value.auth_request,
      selected_at: value.selected_at,
      selected_request: value.selected_request,
      last_seen_at: value.last_seen_at,
      expires_at: value.expires_at,
      absolute_expires_at: value.absolute_expires_at,
      user_agent: value.user_agent,
      address: value.address,
    }),
);

/** Gives a session a new cookie and a new sign-in; `before` is the digest of the cookie it had. False if it ended or was renewed meanwhile. */
export async function renew(trx: Trx, row: SessionRow, before: string): Promise<boolean> {
  return (await trx.run(renewSession, { ...row, before })) === 1;
}

type Stronger = Pick<SessionRow, 'id' | 'token_hash' | 'amr' | 'acr' | 'proven_at'> & { before: string };

const strengthenSession = statement<Stronger>((sql, value) =>
  sql('sessions').where({ id: value.id, token_hash: value.before }).update({
    token_hash: value.token_hash,
    amr: value.amr,
    acr: value.acr,
    proven_at: value.proven_at,
  }),
);

/** Notes one more proof in a session, with a new cookie; `before` is the digest of the one it had. False as `renew`. */
export async function strengthen(trx: Trx, values: Stronger): Promise<boolean> {
  return (await trx.run(strengthenSession, values)) === 1;
}

const selectAccount = statement<{ id: string; now: number; request: string }>((sql, value) =>
  sql('sessions').where({ id: value.id }).update({ selected_at: value.now, selected_request: value.request }),
);

/** Remembers that the person chose this account for a request (prompt=select_account). */
export async function select(db: Db | Trx, id: string, request: string, now: number): Promise<void> {
  await db.run(selectAccount, { id, now, request });
}

const touchSession = statement<{ id: string; now: number; idle_expires_at: number; seen_before: number }>(
  (sql, value) =>
    sql('sessions')
      .where({ id: value.id })
      .where('last_seen_at', '<', value.seen_before)
      .where('expires_at', '>', value.now)
      .update({
        last_seen_at: value.now,
        expires_at: sql.raw('case when absolute_expires_at < ? then absolute_expires_at else ? end', [
          value.idle_expires_at,
          value.idle_expires_at,
        ]),
      }),
);

/** A use is noted when the last one that was noted is older than this. */
export const touch_seconds = 60;

/** Notes that a session is in use, at most once a minute. `idle_expires_at` is when it ends if nothing more happens. */
export async function touch(db: Db | Trx, id: string, idle_expires_at: number, now: number): Promise<void> {
  await db.run(touchSession, { id, now, idle_expires_at, seen_before: now - touch_seconds });
}

const deleteSession = statement<{ id: string }, { id: string; user_id: string }>(
  (sql, value) => sql.raw('delete from sessions where id = ? returning id, user_id', [value.id]), // knex's SQLite builder leaves returning out
);

/** Ends a session. Gives whose it was; undefined if it had ended before. */
export function remove(trx: Trx, id: string): Promise<{ id: string; user_id: string } | undefined> {
  return trx.first(deleteSession, { id });
}

const ownerOf = statement<{ id: string }, { user_id: string }>((sql, value) =>
  sql('sessions').select('user_id').where({ id: value.id }),
);

/** Whose session this is; undefined if it has ended. */
export async function findOwner(db: Queryable, id: string): Promise<string | undefined> {
  return (await db.first(ownerOf, { id }))?.user_id;
}

const deleteExpired = statement<
  { before: number; most: number },
  { id: string; user_id: string; last_seen_at: number }
>((sql, value) =>
  sql.raw(
    `delete from sessions where id in (select id from sessions where expires_at < ? limit ?)
        returning id, user_id, last_seen_at`,
    [value.before, value.most],
  ),
);

/** Ends up to `most` sessions whose time was over before `before`. Gives whose they were, and when they were last in use. */
export function removeExpired(
  trx: Trx,
  before: number,
  most: number,
): Promise<{ id: string; user_id: string; last_seen_at: number }[]> {
  return trx.all(deleteExpired, { before, most });
}

const deleteByUser = statement<{ user_id: string }>((sql, value) =>
  sql('sessions').where({ user_id: value.user_id }).delete(),
);

/** Ends all sessions of a user. Returns how many. */
export function removeAll(trx: Trx, user_id: string): Promise<number> {
  return trx.run(deleteByUser, { user_id });
}

const deleteOthers = statement<{ user_id: string; id: string }, { id: string; user_id: string }>(
  (sql, value) =>
    sql.raw('delete from sessions where user_id = ? and id <> ? returning id, user_id', [
      value.user_id,
      value.id,
    ]),
);

/** Ends all sessions of a user but one. Gives which. */
export function removeOthers(
  trx: Trx,
  user_id: string,
  id: string,
): Promise<{ id: string; user_id: string }[]> {
  return trx.all(deleteOthers, { user_id, id });
}

const ofUser = statement<{ user_id: string; now: number }, LiveSession>((sql, value) =>
  withUser(sql)
    .where('sessions.user_id', value.user_id)
    .where('sessions.expires_at', '>', value.now)
    .orderBy('sessions.created_at')
    .limit(1000),
);

/** The living sessions of a user. */
export function listByUser(db: Queryable, user_id: string, now: number): Promise<LiveSession[]> {
  return db.all(ofUser, { user_id, now });
}

const everyLive = statement<{ now: number }, LiveSession>((sql, value) =>
  withUser(sql).where('sessions.expires_at', '>', value.now).orderBy('sessions.created_at').limit(1000),
);

/** The first thousand living sessions, for `sallyport sessions list`. */
export function list(db: Queryable, now: number): Promise<LiveSession[]> {
  return db.all(everyLive, { now });
}
