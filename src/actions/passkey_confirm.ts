/** Proving once more who one is, in a session, with a passkey: beside the password at /confirm. Hardening rows 9 and 14. */
import { withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import type { SessionRow } from '../store/sessions.js';
import * as users from '../store/users.js';
import { type PasskeyAnswer, type PasskeyDeps, provePasskey, settlePasskey } from './passkey_proof.js';
import { type StartedSession, strengthenSession } from './start_session.js';

/**
 * The session gets a new cookie, a new `proven_at`, and what the passkey proves beside what was proved before. Throws UserError as
 * provePasskey does, or `form_expired` where the session ended meanwhile.
 */
export async function confirmPasskey(
  deps: PasskeyDeps,
  session: SessionRow,
  answer: Omit<PasskeyAnswer, 'user_id'>,
  now: number,
): Promise<StartedSession> {
  const { user_id } = session;
  const proved = await provePasskey(deps, { ...answer, user_id }, now);
  const confirmed = await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) return new UserError('wrong_credentials', 'passkeys.refused');
    const refused = await settlePasskey(trx, deps.config, proved, now);
    return refused ?? strengthenSession(trx, session, withFactor(session.amr.split(' '), proved.amr), now);
  });
  if (confirmed instanceof UserError) throw confirmed;
  return confirmed;
}
