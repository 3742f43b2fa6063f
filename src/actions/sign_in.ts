/**
 * Signing in with a password. An unknown address does the same work as a wrong password. A sign-in always gives the browser a new
 * session cookie. Hardening rows 9 and 14–16.
 */
import type { Deps } from '../deps.js';
import { amr } from '../factors/password.js';
import { UserError } from '../oauth/errors.js';
import * as credentials from '../store/credentials.js';
import * as users from '../store/users.js';
import { assertNotBusy, provePassword, settlePassword } from './password_proof.js';
import { type NewSession, type StartedSession, startSession } from './start_session.js';

export type SignInDeps = Pick<Deps, 'bell' | 'clock' | 'config' | 'db' | 'hashing' | 'log'>;

export interface SignIn extends Pick<NewSession, 'current' | 'request_id' | 'visit'> {
  readonly email: string;
  readonly password: string;
  /** The client's network. */
  readonly source: string;
  /** Gives the id of a browser that is known for a login, or null. */
  readonly device: (login: string) => string | null;
}

export interface SignedIn extends StartedSession {
  readonly user_id: string;
  /** Names the user and the password they signed in with: what a browser is known for. */
  readonly login: string;
}

/** Throws UserError: `wrong_credentials`, `too_many_attempts` or `busy`. */
export async function signIn(deps: SignInDeps, request: SignIn, now: number): Promise<SignedIn> {
  const { db, config } = deps;
  assertNotBusy(deps);
  const email_canonical = users.canonicalEmail(request.email);
  const user = await users.findByEmail(db, email_canonical);
  const credential = await credentials.find(db, user?.id ?? '', 'password');
  const attempt = {
    account: user?.id ?? email_canonical,
    source: request.source,
    device: request.device(credential ? loginOf(credential) : 'nobody'), // the same work where there is nobody
  };
  const proved = await provePassword(deps, { password: request.password, attempt, credential }, now);
  if (proved === null || user === undefined || user.disabled_at !== null) {
    deps.log.info({ event: 'sign_in_failed', source: request.source }, 'sign-in failed');
    throw wrong();
  }

  const { current, request_id, visit } = request;
  const started = await db.transaction(async (trx) => {
    // The password was changed, or the user disabled, while it was being checked: then it does not count any more.
    if (!(await users.lock(trx, user.id)) || !(await settlePassword(trx, proved, now))) throw wrong();
    return startSession(trx, config, { user_id: user.id, amr: [amr], current, request_id, visit }, now);
  });
  const { session_id } = started;
  if (current !== null && current.id !== session_id) deps.bell.ring();
  deps.log.info({ event: 'signed_in', user_id: user.id, sid: session_id }, 'signed in');
  return { ...started, user_id: user.id, login: loginOf(proved.credential) };
}

/**
 * A browser is known for a user until their password changes: else who knew the old one could have made any number of known
 * browsers, each with a counter of its own.
 */
export function loginOf({ user_id, id }: Pick<credentials.CredentialRow, 'user_id' | 'id'>): string {
  return `${user_id} ${id}`;
}

function wrong(): UserError {
  return new UserError('wrong_credentials', 'login.wrong_credentials', 'password');
}
