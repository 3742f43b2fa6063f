/**
 * The end of sessions: whatever ends one, here its codes and tokens end with it and the applications in it are told, all in the
 * caller's transaction. Who ends a session rings deps.bell afterwards. Decisions 30; Back-Channel Logout §2.3.
 */
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as mailLinks from '../store/mail_links.js';
import * as outbox from '../store/outbox.js';
import * as rememberedDevices from '../store/remembered_devices.js';
import * as sessions from '../store/sessions.js';
import * as signIns from '../store/sign_ins.js';

/**
 * Ends a session with all that hangs on it: its codes and session-bound refresh tokens. Gives the clients that took part in it;
 * null if it had ended before.
 */
export async function endSession(
  trx: Trx,
  session_id: string,
  now: number,
): Promise<readonly string[] | null> {
  const ended = await sessions.remove(trx, session_id); // first: whoever holds it hangs nothing more on it afterwards
  const client_ids = ended === undefined ? null : await outbox.clientsOf(trx, ended);
  if (ended !== undefined) await outbox.queueLogouts(trx, [ended], newId(), now);
  await authorizations.revokeBySessions(trx, [session_id], now);
  return client_ids;
}

/** Ends all sessions of a user but one, and what was begun in them. What was given offline_access goes on. Returns how many. */
export async function endSessionsBut(
  trx: Trx,
  session: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<number> {
  const ended = await sessions.removeOthers(trx, session.user_id, session.id); // first, as above
  await endBegun(trx, session.user_id);
  if (ended.length === 0) return 0;
  await outbox.queueLogouts(trx, ended, newId(), now);
  await authorizations.revokeBySessions(
    trx,
    ended.map(({ id }) => id),
    now,
  );
  return ended.length;
}

/**
 * Ends all sessions of a user but one, and all that was given to applications, in that session and offline too: what comes of a new
 * password (decisions 30). Applications in the session that goes on get new tokens without a question.
 */
export async function endEverythingBut(
  trx: Trx,
  session: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<void> {
  const { id: but, user_id } = session;
  await sessions.removeOthers(trx, user_id, but); // first, as above
  await endUnderWay(trx, user_id);
  await outbox.queueLogoutsElsewhere(trx, { user_id, but }, newId(), now);
  await authorizations.revokeByUser(trx, user_id, now);
}

/** What ended of a person. */
export interface Ended {
  /** The receipt_id of the messages. */
  readonly receipt_id: string;
  readonly sessions: number;
  /** How many logout tokens were queued. */
  readonly messages: number;
}

/**
 * Ends everything of a user: all sessions, sign-ins and changes of address under way, and all that was given to applications, offline
 * access too.
 */
export async function endSessionsOf(trx: Trx, user_id: string, now: number): Promise<Ended> {
  const receipt_id = newId();
  const ended = await sessions.removeAll(trx, user_id); // first, as above
  await endUnderWay(trx, user_id);
  const messages = await outbox.queueLogoutsOfUser(trx, user_id, receipt_id, now);
  await authorizations.revokeByUser(trx, user_id, now);
  return { receipt_id, sessions: ended, messages };
}

/** What could go on after all sessions have ended: what was begun in them, and browsers that are spared the second factor. */
async function endUnderWay(trx: Trx, user_id: string): Promise<void> {
  await endBegun(trx, user_id);
  await rememberedDevices.removeAll(trx, user_id);
}

/**
 * What somebody began in a session, and could go on with after it: a sign-in, a change of address. Whoever was in an account that is not
 * theirs does not get it by a link that waits in their mailbox while its owner signs them out.
 */
export async function endBegun(trx: Trx, user_id: string): Promise<void> {
  await signIns.removeAll(trx, user_id);
  await mailLinks.removeOf(trx, user_id, 'email_change');
}
