/**
 * Ending sessions: a person signs out, an operator revokes. Both end codes and refresh tokens with them (decisions 30), and the
 * applications are told (Back-Channel Logout §2.3).
 */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import { batch, grace_seconds } from '../store/expired.js';
import * as outbox from '../store/outbox.js';
import * as receipts from '../store/receipts.js';
import * as sessions from '../store/sessions.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import * as upstreamSessions from '../store/upstream_sessions.js';
import * as users from '../store/users.js';
import { type Ended, endBegun, endSession, endSessionsOf } from './end_sessions.js';

type SessionDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'log'>;

/** What ended with a session. */
export interface EndedHere {
  /** The clients that took part in it. */
  readonly client_ids: readonly string[];
  /** The session at another provider that it came from. */
  readonly upstream: UpstreamSession | null;
}

/** Ends the session of a browser, at once and everywhere. */
export async function signOut(
  deps: SessionDeps,
  session: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<EndedHere> {
  const ended = await deps.db.transaction((trx) => endByPerson(trx, deps.config, session, now));
  deps.bell.ring();
  deps.log.info({ event: 'signed_out', user_id: session.user_id, sid: session.id }, 'signed out');
  return ended;
}

/** What a token of an application hangs on. */
export interface HeldToken {
  readonly user_id: string;
  readonly sid: string;
  readonly authorization_id: string;
}

/** Signs out by a token: its session ends like by signOut, and what the application was given, offline access too. */
export async function signOutByToken(deps: SessionDeps, held: HeldToken, now: number): Promise<void> {
  const { user_id, sid, authorization_id } = held;
  await deps.db.transaction(async (trx) => {
    await endByPerson(trx, deps.config, { id: sid, user_id }, now);
    await authorizations.revoke(trx, authorization_id, now);
  });
  deps.bell.ring();
  deps.log.info({ event: 'signed_out', user_id, sid }, 'signed out');
}

async function endByPerson(
  trx: Trx,
  config: Pick<Config, 'EVENTS_SECONDS'>,
  { id, user_id }: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<EndedHere> {
  const upstream = (await upstreamSessions.findBySession(trx, id)) ?? null; // before: it ends with the session
  const client_ids = await endSession(trx, id, now);
  if (client_ids === null) return { client_ids: [], upstream: null };
  await events.record(trx, { type: 'signed_out', user_id, session_id: id }, now, config.EVENTS_SECONDS);
  return { client_ids, upstream };
}

/** Ends one session by its id, and what was begun in it. Throws UserError `not_found`. */
export async function revokeSession(deps: SessionDeps, session_id: string, now: number): Promise<void> {
  const ended = await deps.db.transaction(async (trx) => {
    const user_id = await sessions.findOwner(trx, session_id);
    const found = await endSession(trx, session_id, now);
    if (user_id !== undefined) await endBegun(trx, user_id);
    if (found !== null)
      await events.record(trx, { type: 'session_revoked', session_id }, now, deps.config.EVENTS_SECONDS);
    return found;
  });
  if (ended === null)
    throw new UserError('not_found', { key: 'admin.no_session', values: { id: session_id } });
  deps.bell.ring();
}

/**
 * Signs a person out everywhere, in one transaction: all sessions end, with everything that was given to applications, offline access
 * too, and the logout tokens are queued. Throws UserError `not_found`.
 */
export async function signOutEverywhere(deps: SessionDeps, user_id: string, now: number): Promise<Ended> {
  const ended = await deps.db.transaction(async (trx) => {
    if ((await users.find(trx, user_id)) === undefined)
      throw new UserError('not_found', { key: 'admin.no_user', values: { id: user_id } });
    const all = await endSessionsOf(trx, user_id, now);
    await receipts.insert(trx, { id: all.receipt_id, user_id, sessions: all.sessions, created_at: now });
    const event = { type: 'session_revoked', user_id, detail: `${all.sessions} sessions` } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
    return all;
  });
  deps.bell.ring();
  return ended;
}

/** What became of a sign-out everywhere. */
export interface Receipt extends receipts.ReceiptRow {
  /** One for each application and session. */
  readonly messages: readonly outbox.ListedMessage[];
}

/** What each application has answered so far. Kept for a week. Throws UserError `not_found`. */
export async function loadReceipt(deps: Pick<Deps, 'db'>, receipt_id: string): Promise<Receipt> {
  const receipt = await receipts.find(deps.db, receipt_id);
  if (receipt === undefined)
    throw new UserError('not_found', { key: 'admin.no_receipt', values: { id: receipt_id } });
  return { ...receipt, messages: await outbox.listByReceipt(deps.db, receipt_id) };
}

/**
 * Ends up to 500 sessions whose time is over, with what hangs on them, and has the applications told (protocol.md BCL-04). Returns how many.
 * For the janitor.
 */
export async function endExpiredSessions(
  deps: Pick<Deps, 'bell' | 'config' | 'db'>,
  now: number,
): Promise<number> {
  const ended = await deps.db.transaction(async (trx) => {
    const expired = await sessions.removeExpired(trx, now - grace_seconds, batch);
    if (expired.length === 0) return 0;
    await outbox.queueLogouts(trx, expired, newId(), now);
    const seen_since = now - deps.config.ACCESS_TOKEN_SECONDS - sessions.touch_seconds;
    const idsOf = (rows: typeof expired) => rows.map(({ id }) => id);
    const lively = expired.filter(({ last_seen_at }) => last_seen_at >= seen_since); // whose access tokens may live still
    const idle = expired.filter(({ last_seen_at }) => last_seen_at < seen_since);
    await authorizations.revokeBySessions(trx, idsOf(lively), now);
    await authorizations.revokeByIdleSessions(trx, idsOf(idle), now);
    return expired.length;
  });
  if (ended > 0) deps.bell.ring();
  return ended;
}
