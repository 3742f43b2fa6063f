/** Ending sessions: a person signs out, an operator revokes. Both end codes and refresh tokens with them (decisions 30). */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as sessions from '../store/sessions.js';
import * as users from '../store/users.js';
import { endSession } from './sign_in.js';

type SessionDeps = Pick<Deps, 'config' | 'db' | 'log'>;

/** Ends the session of a browser, at once and everywhere. */
export async function signOut(
  deps: SessionDeps,
  session: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<void> {
  await deps.db.transaction((trx) => endByPerson(trx, deps.config, session, now));
  deps.log.info({ event: 'signed_out', user_id: session.user_id, sid: session.id }, 'signed out');
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
  deps.log.info({ event: 'signed_out', user_id, sid }, 'signed out');
}

async function endByPerson(
  trx: Trx,
  config: Pick<Config, 'EVENTS_SECONDS'>,
  { id, user_id }: Pick<sessions.SessionRow, 'id' | 'user_id'>,
  now: number,
): Promise<void> {
  if (!(await endSession(trx, id, now))) return;
  await events.record(trx, { type: 'signed_out', user_id, session_id: id }, now, config.EVENTS_SECONDS);
}

/** Ends one session by its id. Throws UserError `not_found`. */
export async function revokeSession(deps: SessionDeps, session_id: string, now: number): Promise<void> {
  const ended = await deps.db.transaction(async (trx) => {
    const found = await endSession(trx, session_id, now);
    if (found)
      await events.record(trx, { type: 'session_revoked', session_id }, now, deps.config.EVENTS_SECONDS);
    return found;
  });
  if (!ended) throw new UserError('not_found', `There is no session ${session_id}.`);
}

/** Ends all sessions of a user, with everything that was given to applications, offline access too. Returns how many sessions. */
export async function revokeSessionsOf(deps: SessionDeps, user_id: string, now: number): Promise<number> {
  return deps.db.transaction(async (trx) => {
    if ((await users.find(trx, user_id)) === undefined)
      throw new UserError('not_found', `There is no user ${user_id}.`);
    const ended = await sessions.removeAll(trx, user_id); // first: see endSession
    await authorizations.revokeByUser(trx, user_id, now);
    await events.record(
      trx,
      { type: 'session_revoked', user_id, detail: `${ended} sessions` },
      now,
      deps.config.EVENTS_SECONDS,
    );
    return ended;
  });
}
