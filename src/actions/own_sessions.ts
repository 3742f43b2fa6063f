/** People end sessions of their own, on this device and on others: at once and everywhere. */
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import * as events from '../store/events.js';
import * as sessions from '../store/sessions.js';
import { endBegun, endSession, endSessionsBut } from './end_sessions.js';

type OwnDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'log'>;
type Session = Pick<sessions.SessionRow, 'id' | 'user_id'>;

/**
 * Ends one session of a person: in `from`, another one, with what was begun in it; or `from` itself, which is a sign-out. Throws UserError
 * `not_found` for one that has ended, or is somebody else's (hardening row 26).
 */
export async function endOwnSession(
  deps: OwnDeps,
  { id, user_id, from }: Session & { readonly from: string },
  visit: events.Visit,
  now: number,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    const owned = (await sessions.findOwner(trx, id)) === user_id;
    if (!owned || (await endSession(trx, id, now)) === null)
      throw new UserError('not_found', 'account.no_session');
    if (id !== from) await endBegun(trx, user_id);
    const event = { type: 'session_revoked', user_id, session_id: id, visit } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
  });
  deps.bell.ring();
  deps.log.info({ event: 'session_revoked', user_id, sid: id }, 'a session was ended by its owner');
}

/** Ends all sessions of a person but this one. Returns how many. */
export async function endOtherSessions(
  deps: OwnDeps,
  session: Session,
  visit: events.Visit,
  now: number,
): Promise<number> {
  const { id, user_id } = session;
  const ended = await deps.db.transaction(async (trx) => {
    const others = await endSessionsBut(trx, session, now);
    if (others > 0) {
      const about = { user_id, session_id: id, detail: String(others), visit };
      await events.record(trx, { type: 'other_sessions_ended', ...about }, now, deps.config.EVENTS_SECONDS);
    }
    return others;
  });
  deps.bell.ring();
  deps.log.info({ event: 'other_sessions_ended', user_id, ended }, 'sessions were ended by their owner');
  return ended;
}
