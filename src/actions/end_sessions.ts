/**
 * The end of sessions: whatever ends one, here its codes and tokens end with it and the applications in it are told, all in the
 * caller's transaction. Who ends a session rings deps.bell afterwards. Decisions 30; Back-Channel Logout §2.3.
 */
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as outbox from '../store/outbox.js';
import * as sessions from '../store/sessions.js';

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
  await authorizations.revokeBySession(trx, session_id, now);
  return client_ids;
}

/** What ended of a person. */
export interface Ended {
  /** The receipt_id of the messages. */
  readonly receipt_id: string;
  readonly sessions: number;
  /** How many logout tokens were queued. */
  readonly messages: number;
}

/** Ends everything of a user: all sessions, and all that was given to applications, offline access too. */
export async function endSessionsOf(trx: Trx, user_id: string, now: number): Promise<Ended> {
  const receipt_id = newId();
  const ended = await sessions.removeAll(trx, user_id); // first, as above
  const messages = await outbox.queueLogoutsOfUser(trx, user_id, receipt_id, now);
  await authorizations.revokeByUser(trx, user_id, now);
  return { receipt_id, sessions: ended, messages };
}
