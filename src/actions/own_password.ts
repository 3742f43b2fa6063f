/**
 * A person gives themselves a new password. Who may is asked before (http/recent_proof.ts). All their other sessions end, and all that
 * was given to applications (decisions 30); this session goes on with a new cookie (hardening row 9).
 */
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import type { Visit } from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import * as users from '../store/users.js';
import { endEverythingBut } from './end_sessions.js';
import { type HashDeps, newHash, replacePassword } from './new_password.js';
import { loginName } from './sign_in.js';
import { type StartedSession, strengthenSession } from './start_session.js';

type PasswordDeps = HashDeps & Pick<Deps, 'bell' | 'db' | 'keys'>;

export interface ChangedPassword extends StartedSession {
  /** What this browser is known for from now on (http/device.ts). */
  readonly login: string;
}

/** Throws UserError `invalid_input` for the field `password`, `busy`, or `form_expired` where the session ended meanwhile. */
export async function changeOwnPassword(
  deps: PasswordDeps,
  session: LiveSession,
  { password, visit }: { readonly password: string; readonly visit: Visit },
  now: number,
): Promise<ChangedPassword> {
  const { user_id, id: session_id } = session;
  const owner = await users.find(deps.db, user_id);
  if (owner === undefined) throw new UserError('form_expired', 'common.form_expired'); // removed at this very moment
  const secret = await newHash(deps, password, owner);
  const post = { config: deps.config, ring: await deps.keys.get() };
  const changed = await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) throw new UserError('form_expired', 'common.form_expired');
    const credential = await replacePassword(trx, { owner, secret, visit, session_id, post }, now);
    await endEverythingBut(trx, session, now);
    const started = await strengthenSession(trx, session, session.amr.split(' '), session.proven_at);
    return { ...started, login: loginName(user_id, credential.id) };
  });
  deps.bell.ring();
  deps.log.info({ event: 'password_changed', user_id }, 'a password was changed by its owner');
  return changed;
}
