/**
 * Table outbox: messages that have to leave, kept until they are answered or given up. A row holds what its message is made of, not
 * the message: a logout token is signed when it is sent. OpenID Connect Back-Channel Logout 1.0 §2.5; decisions 9.
 */
import type { Knex } from 'knex';
import { among } from './batched.js';
import type { Db, Queryable, Trx } from './db.js';
import { forPostgres, statement } from './statement.js';

/** queued: not sent yet · sent: sent without a good answer, to be sent again · answered: taken · failed: refused or given up. */
type MessageState = 'queued' | 'sent' | 'answered' | 'failed';

export interface OutboxRow {
  id: string;
  kind: 'backchannel_logout';
  /** What ended the sessions: the messages of one end share it. */
  receipt_id: string;
  client_id: string;
  user_id: string;
  /** The session that ended. */
  sid: string;
  state: MessageState;
  /** How often it was sent. */
  attempts: number;
  /** Null when nothing more is sent. */
  next_attempt_at: number | null;
  /** What came back last, in a few words; null before. */
  answer: string | null;
  /** When the last attempt was over. */
  attempted_at: number | null;
  created_at: number;
  /** When the row is deleted. */
  expires_at: number;
}

/** Seconds that a message and its receipt are kept. */
export const keep_seconds = 7 * 86_400;

/** A session of a user. */
export interface SessionName {
  readonly id: string;
  readonly user_id: string;
}

/**
 * Who took part in which session: the clients with a living authorization that came of it. What was given offline_access is one
 * authorization over many sessions, and the codes tell of which.
 */
function participants(sql: Knex, users: Knex.Raw): Knex.QueryBuilder {
  return sql('authorizations')
    .select('authorizations.client_id', 'authorizations.user_id', 'authorizations.sid')
    .whereNull('authorizations.revoked_at')
    .where(users)
    .union([
      sql('authorizations')
        .join('authorization_codes', 'authorization_codes.authorization_id', 'authorizations.id')
        .select('authorizations.client_id', 'authorizations.user_id', 'authorization_codes.sid')
        .whereNull('authorizations.revoked_at')
        .where(users),
    ]);
}

interface Logouts {
  users: string;
  sids: string;
  receipt_id: string;
  now: number;
  expires_at: number;
}

/** One message for each session and each client in it that is told; `only` narrows the sessions. */
function insertLogouts(sql: Knex, value: Readonly<Omit<Logouts, 'sids'>>, only: Knex.Raw): Knex.Raw {
  const all = participants(sql, among(sql, 'authorizations.user_id', value.users));
  return sql.raw(
    `insert into outbox (id, kind, receipt_id, client_id, user_id, sid, state, attempts, next_attempt_at, created_at, expires_at)
    select cast(? as text) || '.' || p.sid || '.' || p.client_id, 'backchannel_logout', cast(? as text), p.client_id, p.user_id, p.sid,
      'queued', 0, cast(? as bigint), cast(? as bigint), cast(? as bigint)
    from (?) as p join clients on clients.client_id = p.client_id
    where clients.backchannel_logout_uri is not null and clients.disabled_at is null and ?`,
    [value.receipt_id, value.receipt_id, value.now, value.now, value.expires_at, all, only],
  );
}

const insertOfSessions = statement<Logouts>((sql, value) =>
  insertLogouts(sql, value, among(sql, 'p.sid', value.sids)),
);

const insertOfUser = statement<Omit<Logouts, 'sids'>>((sql, value) =>
  insertLogouts(sql, value, sql.raw('1 = 1')),
);

const insertOfUserElsewhere = statement<Omit<Logouts, 'sids'> & { but: string }>((sql, value) =>
  insertLogouts(sql, value, sql.raw('p.sid <> ?', [value.but])),
);

const insertOfUserAndClient = statement<Omit<Logouts, 'sids'> & { client_id: string }>((sql, value) =>
  insertLogouts(sql, value, sql.raw('p.client_id = ?', [value.client_id])),
);

/**
 * Queues a logout token for every client that took part in these sessions and has a backchannel_logout_uri. Before their
 * authorizations are revoked. Returns how many.
 */
export function queueLogouts(
  trx: Trx,
  sessions: readonly SessionName[],
  receipt_id: string,
  now: number,
): Promise<number> {
  const users = JSON.stringify([...new Set(sessions.map(({ user_id }) => user_id))]);
  const sids = JSON.stringify(sessions.map(({ id }) => id));
  return trx.run(insertOfSessions, { users, sids, receipt_id, now, expires_at: now + keep_seconds });
}

/** The same for all that a user's authorizations came of, also sessions that ended before with offline access going on. */
export function queueLogoutsOfUser(
  trx: Trx,
  user_id: string,
  receipt_id: string,
  now: number,
): Promise<number> {
  const users = JSON.stringify([user_id]);
  return trx.run(insertOfUser, { users, receipt_id, now, expires_at: now + keep_seconds });
}

/** The same, but for the session `but`, which goes on. */
export function queueLogoutsElsewhere(
  trx: Trx,
  { user_id, but }: { readonly user_id: string; readonly but: string },
  receipt_id: string,
  now: number,
): Promise<number> {
  const users = JSON.stringify([user_id]);
  return trx.run(insertOfUserElsewhere, { users, but, receipt_id, now, expires_at: now + keep_seconds });
}

/** The same for one client alone, in all sessions of the user. */
export function queueLogoutsOfClient(
  trx: Trx,
  { user_id, client_id }: { readonly user_id: string; readonly client_id: string },
  receipt_id: string,
  now: number,
): Promise<number> {
  const users = JSON.stringify([user_id]);
  return trx.run(insertOfUserAndClient, {
    users,
    client_id,
    receipt_id,
    now,
    expires_at: now + keep_seconds,
  });
}

const clientsIn = statement<{ users: string; sid: string }, { client_id: string }>((sql, value) =>
  sql
    .select('p.client_id')
    .distinct()
    .from(participants(sql, among(sql, 'authorizations.user_id', value.users)).as('p'))
    .where('p.sid', value.sid)
    .orderBy('p.client_id'),
);

/** The clients that took part in a session. Before their authorizations are revoked. */
export async function clientsOf(db: Queryable, { id, user_id }: SessionName): Promise<readonly string[]> {
  const rows = await db.all(clientsIn, { users: JSON.stringify([user_id]), sid: id });
  return rows.map(({ client_id }) => client_id);
}

/** Messages to be sent now, but for clients that are busy with others. */
interface Due {
  now: number;
  /** JSON, a list of client_ids. */
  busy: string;
}

const anyDue = statement<Due, { id: string }>((sql, value) =>
  sql('outbox')
    .select('id')
    .where('next_attempt_at', '<=', value.now)
    .where(sql.raw('not ?', [among(sql, 'client_id', value.busy)]))
    .limit(1),
);

const claimDue = statement<Due & { next_attempt_at: number }, OutboxRow>((sql, value) =>
  sql.raw(
    `update outbox set state = 'sent', attempts = attempts + 1, next_attempt_at = cast(? as bigint)
    where next_attempt_at <= ? and id in (
      select id from outbox where next_attempt_at <= ? and not ? order by attempts, next_attempt_at ?)
    returning *`,
    [
      ...[value.next_attempt_at, value.now, value.now, among(sql, 'client_id', value.busy)],
      forPostgres(sql) ? sql.raw('limit 1 for update skip locked') : sql.raw('limit 1'),
    ],
  ),
);

/**
 * Takes a message to be sent now, of those that were sent least often: no other process gets it before `next_attempt_at`, when whoever
 * took it must have died. None of a client that is among `busy`. Undefined if there is none: that costs a read alone.
 */
export async function claim(
  db: Db,
  range: { readonly now: number; readonly next_attempt_at: number; readonly busy: readonly string[] },
): Promise<OutboxRow | undefined> {
  const values = { ...range, busy: JSON.stringify(range.busy) };
  if ((await db.first(anyDue, values)) === undefined) return undefined;
  return db.transaction((trx) => trx.first(claimDue, values));
}

interface Settled {
  id: string;
  attempts: number;
  state: MessageState;
  answer: string;
  attempted_at: number;
  next_attempt_at: number | null;
}

const settleOne = statement<Settled>((sql, value) =>
  sql('outbox').where({ id: value.id, attempts: value.attempts }).update({
    state: value.state,
    answer: value.answer,
    attempted_at: value.attempted_at,
    next_attempt_at: value.next_attempt_at,
  }),
);

/** Writes down what came of an attempt. False if another attempt was made meanwhile: then that one counts. */
export async function settle(db: Db, outcome: Settled): Promise<boolean> {
  return (await db.run(settleOne, outcome)) === 1;
}

/** A message as a receipt lists it. */
export interface ListedMessage extends OutboxRow {
  /** Null if the client was removed. */
  client_name: string | null;
}

const ofReceipt = statement<{ receipt_id: string }, ListedMessage>((sql, value) =>
  sql('outbox')
    .leftJoin('clients', 'clients.client_id', 'outbox.client_id')
    .select('outbox.*', 'clients.client_name')
    .where('outbox.receipt_id', value.receipt_id)
    .orderBy('clients.client_name')
    .orderBy('outbox.id')
    .limit(1000),
);

/** The messages of one end of sessions, up to a thousand. */
export function listByReceipt(db: Queryable, receipt_id: string): Promise<ListedMessage[]> {
  return db.all(ofReceipt, { receipt_id });
}
