/**
 * A person gives themselves a new password. Who may is asked before (http/recent_proof.ts). All their other sessions end, and all that
 * was given to applications (decisions 30); this session goes on with a new cookie (hardening row 9).
 */
import type { Deps } from '../deps.js';
import { checkNewPassword, type NewPasswordDeps } from '../factors/new_password.js';
import { hashPassword } from '../factors/password.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import * as events from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import * as users from '../store/users.js';
import { endEverythingBut } from './end_sessions.js';
import { loginName } from './sign_in.js';
import { type StartedSession, strengthenSession } from './start_session.js';

type PasswordDeps = Pick<Deps, 'bell' | 'db' | 'hashing' | 'log'> & Pick<Deps, 'config'> & NewPasswordDeps;

export interface ChangedPassword extends StartedSession {
  /** What this browser is known for from now on (http/device.ts). */
  readonly login: string;
}

/** Throws UserError `invalid_input` for the field `password`, `busy`, or `form_expired` where the session ended meanwhile. */
export async function changeOwnPassword(
  deps: PasswordDeps,
  session: LiveSession,
  { password, visit }: { readonly password: string; readonly visit: events.Visit },
  now: number,
): Promise<ChangedPassword> {
  const { user_id, id: session_id } = session;
  const owner = await users.find(deps.db, user_id);
  if (owner === undefined) throw new UserError('form_expired', 'common.form_expired'); // removed at this very moment
  const secret = await hashPassword(deps.hashing, deps.config, await checkNewPassword(deps, password, owner));
  const credential = {
    id: newId(),
    user_id,
    type: 'password',
    secret,
    created_at: now,
    updated_at: now,
  } as const;
  const started = await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) throw new UserError('form_expired', 'common.form_expired');
    await credentials.removeAll(trx, user_id, 'password');
    await credentials.insert(trx, credential);
    await endEverythingBut(trx, session, now);
    await events.record(
      trx,
      { type: 'password_changed', user_id, session_id, visit },
      now,
      deps.config.EVENTS_SECONDS,
    );
    return strengthenSession(trx, session, session.amr.split(' '), session.proven_at);
  });
  deps.bell.ring();
  deps.log.info({ event: 'password_changed', user_id }, 'a password was changed by its owner');
  return { ...started, login: loginName(user_id, credential.id) };
}
