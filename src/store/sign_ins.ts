/**
 * Table sign_ins: one row for each sign-in under way: somebody gave a first proof and owes a second one. The cookie holds 256 random
 * bits, the row their SHA-256. Nothing here is a session: only consuming the row leads to one.
 */
import type { Db, Trx } from './db.js';
import { statement } from './statement.js';

/** How long a person may take for the steps of a sign-in, in seconds. */
export const lives_seconds = 600;

export interface SignInRow {
  id: string;
  token_hash: string;
  user_id: string;
  /** The session that is made stronger; null where there will be a new one. */
  session_id: string | null;
  /** The credential of the first proof: what a browser is known for. Null where it was none of ours. */
  credential_id: string | null;
  /** What was proved so far (RFC 8176), separated by spaces. */
  amr: string;
  auth_request: string | null;
  /** A JSON object: the session at another provider that the session will come from. */
  upstream: string | null;
  /** Proofs that were tried. */
  attempts: number;
  /** MAC of the code that was sent by mail; null where there is none, or it was used up. */
  email_code_mac: string | null;
  email_code_expires_at: number | null;
  emails_sent: number;
  created_at: number;
  expires_at: number;
}

export type NewSignIn = Omit<
  SignInRow,
  'attempts' | 'email_code_mac' | 'email_code_expires_at' | 'emails_sent'
>;

const insertSignIn = statement<NewSignIn>((sql, value) =>
  sql('sign_ins').insert({
    id: value.id,
    token_hash: value.token_hash,
    user_id: value.user_id,
    session_id: value.session_id,
    credential_id: value.credential_id,
    amr: value.amr,
    auth_request: value.auth_request,
    upstream: value.upstream,
    attempts: 0,
    emails_sent: 0,
    created_at: value.created_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(trx: Trx, row: NewSignIn): Promise<void> {
  await trx.run(insertSignIn, row);
}

/** A sign-in under way, with whose it is. */
export interface LiveSignIn extends SignInRow {
  email: string;
  name: string | null;
  roles: string;
}

const byToken = statement<{ token_hash: string; now: number }, LiveSignIn>((sql, value) =>
  sql('sign_ins')
    .join('users', 'users.id', 'sign_ins.user_id')
    .select('sign_ins.*', 'users.email', 'users.name', 'users.roles')
    .where('sign_ins.token_hash', value.token_hash)
    .where('sign_ins.expires_at', '>', value.now)
    .whereNull('users.disabled_at'),
);

/** The sign-in whose cookie has this digest, if it has not expired and its user may sign in. */
export function findLive(db: Db, token_hash: string, now: number): Promise<LiveSignIn | undefined> {
  return db.first(byToken, { token_hash, now });
}

const countAttempt = statement<{ id: string; now: number; limit: number }>((sql, value) =>
  sql('sign_ins')
    .where({ id: value.id })
    .where('expires_at', '>', value.now)
    .where('attempts', '<', value.limit)
    .increment('attempts', 1),
);

/** Counts one more attempt. False where as many were made as there may be, or the sign-in is over. */
export async function reserve(
  trx: Trx,
  attempt: { id: string; now: number; limit: number },
): Promise<boolean> {
  return (await trx.run(countAttempt, attempt)) === 1;
}

const setCode = statement<{
  id: string;
  email_code_mac: string;
  expires_at: number;
  now: number;
  limit: number;
}>((sql, value) =>
  sql('sign_ins')
    .where({ id: value.id })
    .where('expires_at', '>', value.now)
    .where('emails_sent', '<', value.limit)
    .update({ email_code_mac: value.email_code_mac, email_code_expires_at: value.expires_at })
    .increment('emails_sent', 1),
);

/** Notes the code that is sent, and counts it. False where as many were sent as there may be, or the sign-in is over. */
export async function setEmailCode(
  trx: Trx,
  code: { id: string; email_code_mac: string; expires_at: number; now: number; limit: number },
): Promise<boolean> {
  return (await trx.run(setCode, code)) === 1;
}

const takeCode = statement<{ id: string; email_code_mac: string; now: number }>((sql, value) =>
  sql('sign_ins')
    .where({ id: value.id, email_code_mac: value.email_code_mac })
    .where('email_code_expires_at', '>', value.now)
    .update({ email_code_mac: null, email_code_expires_at: null }),
);

/** Uses the code up. False where it is another, expired or used: of any number at the same moment one gets true. */
export async function useEmailCode(
  trx: Trx,
  code: { id: string; email_code_mac: string; now: number },
): Promise<boolean> {
  return (await trx.run(takeCode, code)) === 1;
}

const deleteOne = statement<{ id: string; token_hash: string; now: number }, SignInRow>((sql, value) =>
  sql.raw('delete from sign_ins where id = ? and token_hash = ? and expires_at > ? returning *', [
    value.id,
    value.token_hash,
    value.now,
  ]),
);

/** Uses a sign-in up. Undefined if it is over, or was used up before: of any number at the same moment one gets the row. */
export function consume(
  trx: Trx,
  of: { id: string; token_hash: string },
  now: number,
): Promise<SignInRow | undefined> {
  return trx.first(deleteOne, { ...of, now });
}

const deleteByUser = statement<{ user_id: string }>((sql, value) =>
  sql('sign_ins').where({ user_id: value.user_id }).delete(),
);

/** Ends all sign-ins under way of a user. */
export async function removeAll(trx: Trx, user_id: string): Promise<void> {
  await trx.run(deleteByUser, { user_id });
}

const deleteByToken = statement<{ token_hash: string }>((sql, value) =>
  sql('sign_ins').where({ token_hash: value.token_hash }).delete(),
);

/** Ends the sign-in of a browser. */
export async function remove(db: Db | Trx, token_hash: string): Promise<void> {
  await db.run(deleteByToken, { token_hash });
}
