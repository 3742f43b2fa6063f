/** Proving once more who one is, in a session, before something sensitive (http/recent_proof.ts). Hardening rows 9 and 14. */
import type { Deps } from '../deps.js';
import { amr as passwordAmr } from '../factors/password.js';
import * as totp from '../factors/totp.js';
import { giveBack } from '../limits/counters.js';
import * as factorAttempts from '../limits/factor_attempts.js';
import { withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import * as credentials from '../store/credentials.js';
import type { SessionRow } from '../store/sessions.js';
import * as users from '../store/users.js';
import {
  assertNotBusy,
  type PasswordDeps,
  provePassword,
  settlePassword,
  tooMany,
} from './password_proof.js';
import { loginOf, type SignIn } from './password_sign_in.js';
import { type StartedSession, strengthenSession } from './start_session.js';

export type Confirmation = Pick<SignIn, 'password' | 'source' | 'device'>;

/**
 * Proves the person of a session by their password, within the same limits as at a sign-in: the session gets a new cookie and a new
 * `proven_at`. Throws UserError `wrong_credentials`, `too_many_attempts`, `busy`, or `form_expired` where the session ended meanwhile.
 */
export async function confirmPassword(
  deps: PasswordDeps,
  session: SessionRow,
  { password, source, device }: Confirmation,
  now: number,
): Promise<StartedSession> {
  assertNotBusy(deps);
  const { user_id } = session;
  const credential = await credentials.find(deps.db, user_id, 'password');
  const attempt = { account: user_id, source, device: device(loginOf(credential)) };
  const proved = await provePassword(deps, { password, attempt, credential }, now);
  if (proved === null) throw wrong();
  const amr = [...new Set([...session.amr.split(' '), passwordAmr])];
  return deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id)) || !(await settlePassword(trx, proved, now))) throw wrong();
    return strengthenSession(trx, session, amr, now);
  });
}

/**
 * The same by an authenticator app, within the limits on codes. Throws UserError `wrong_credentials`, `too_many_attempts`, or
 * `form_expired`.
 */
export async function confirmTotp(
  { db, keys }: Pick<Deps, 'db' | 'keys'>,
  session: SessionRow,
  code: string,
  now: number,
): Promise<StartedSession> {
  const { user_id } = session;
  const ring = await keys.get();
  const confirmed = await db.transaction(async (trx) => {
    const reservation = await factorAttempts.reserve(trx, user_id, now);
    if (!reservation.allowed) return tooMany(reservation);
    if (!(await totp.verifyTotp(trx, ring, { user_id, code }, now)))
      return new UserError('wrong_credentials', 'factor.wrong_code', 'code'); // returned, so that it stays counted
    await giveBack(trx, reservation.key_hashes);
    return strengthenSession(trx, session, withFactor(session.amr.split(' '), totp.amr), now);
  });
  if (confirmed instanceof UserError) throw confirmed;
  return confirmed;
}

function wrong(): UserError {
  return new UserError('wrong_credentials', 'confirm.wrong_password', 'password');
}
