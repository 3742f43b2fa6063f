/**
 * Table mails: the part of the outbox that goes to people. A row holds its message sealed (decisions 9), until it was delivered or is
 * given up; then what is left says what became of it.
 */
import type { Db, Queryable, Trx } from './db.js';
import { forPostgres, statement } from './statement.js';

/** queued: not sent yet · tried: sent without success, to be sent again · delivered: taken by the mail server · shown: on a page for developers · failed: refused or given up. */
type MailState = 'queued' | 'tried' | 'delivered' | 'shown' | 'failed';

export interface MailRow {
  id: string;
  /** Which message it is: mail/messages.ts. */
  name: string;
  /** Sealed under the purpose `outbox`; null once it was delivered or given up. */
  body: string | null;
  state: MailState;
  /** How often it was sent. */
  attempts: number;
  /** Null when nothing more is sent. */
  next_attempt_at: number | null;
  /** What came back last, in a few words; null before. */
  answer: string | null;
  /** When the last attempt was over. */
  attempted_at: number | null;
  created_at: number;
  /** From when on it would be of no use to anybody: it is not sent any more. */
  useless_at: number;
  /** When the row is deleted. */
  expires_at: number;
}

type NewMail = Pick<MailRow, 'id' | 'name' | 'created_at' | 'useless_at' | 'expires_at'> & { body: string };

const insertMail = statement<NewMail>((sql, value) =>
  sql('mails').insert({
    id: value.id,
    name: value.name,
    body: value.body,
    state: 'queued',
    attempts: 0,
    next_attempt_at: value.created_at,
    created_at: value.created_at,
    useless_at: value.useless_at,
    expires_at: value.expires_at,
  }),
);

const insertForUser = statement<NewMail & { user_id: string }>((sql, value) =>
  sql.raw(
    `insert into mails (id, name, body, state, attempts, next_attempt_at, created_at, useless_at, expires_at)
    select cast(? as text), cast(? as text), cast(? as text), 'queued', 0, cast(? as bigint), cast(? as bigint), cast(? as bigint),
      cast(? as bigint)
    from users where users.id = ? and users.disabled_at is null`,
    [
      ...[value.id, value.name, value.body, value.created_at, value.created_at],
      ...[value.useless_at, value.expires_at, value.user_id],
    ],
  ),
);

/** The same, if there is such a user and they may sign in: the same statement either way (hardening row 16). */
export async function insertFor(trx: Trx, mail: NewMail, user_id: string): Promise<void> {
  await trx.run(insertForUser, { ...mail, user_id });
}

/** Queues a message, to be sent as soon as the transaction is over. */
export async function insert(trx: Trx, mail: NewMail): Promise<void> {
  await trx.run(insertMail, mail);
}

const anyDue = statement<{ now: number }, { id: string }>((sql, value) =>
  sql('mails').select('id').where('next_attempt_at', '<=', value.now).limit(1),
);

const claimDue = statement<{ now: number; next_attempt_at: number }, MailRow>((sql, value) =>
  sql.raw(
    `update mails set state = 'tried', attempts = attempts + 1, next_attempt_at = cast(? as bigint)
    where next_attempt_at <= ? and id in (
      select id from mails where next_attempt_at <= ? order by attempts, next_attempt_at ?)
    returning *`,
    [
      ...[value.next_attempt_at, value.now, value.now],
      forPostgres(sql) ? sql.raw('limit 1 for update skip locked') : sql.raw('limit 1'),
    ],
  ),
);

/**
 * Takes a message to be sent now, of those that were sent least often: no other process gets it before `next_attempt_at`, when whoever
 * took it must have died. Undefined if there is none: that costs a read alone.
 */
export async function claim(
  db: Db,
  range: { readonly now: number; readonly next_attempt_at: number },
): Promise<MailRow | undefined> {
  if ((await db.first(anyDue, { now: range.now })) === undefined) return undefined;
  return db.transaction((trx) => trx.first(claimDue, range));
}

type Settled = Pick<MailRow, 'id' | 'attempts' | 'state' | 'next_attempt_at' | 'body'> & {
  answer: string;
  attempted_at: number;
};

const settleOne = statement<Settled>((sql, value) =>
  sql('mails').where({ id: value.id, attempts: value.attempts }).update({
    state: value.state,
    body: value.body,
    answer: value.answer,
    attempted_at: value.attempted_at,
    next_attempt_at: value.next_attempt_at,
  }),
);

/** Writes down what came of an attempt. False if another attempt was made meanwhile: then that one counts. */
export async function settle(db: Db, outcome: Settled): Promise<boolean> {
  return (await db.run(settleOne, outcome)) === 1;
}

const byId = statement<{ id: string }, MailRow>((sql, value) => sql('mails').where({ id: value.id }));

export function find(db: Queryable, id: string): Promise<MailRow | undefined> {
  return db.first(byId, { id });
}

const readable = statement<{ since: number }, MailRow>((sql, value) =>
  sql('mails')
    .whereNotNull('body')
    .where('created_at', '>', value.since)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(100),
);

/** The newest hundred messages made after `since` whose bodies are still kept: for the page of developers. */
export function listReadable(db: Queryable, since: number): Promise<MailRow[]> {
  return db.all(readable, { since });
}
