/** The first factor password: an unknown address does the same work as a wrong password. Hardening rows 14–16. */
import type { Deps } from '../deps.js';
import { amr } from '../factors/password.js';
import { UserError } from '../oauth/errors.js';
import * as credentials from '../store/credentials.js';
import * as users from '../store/users.js';
import { assertNotBusy, provePassword, settlePassword } from './password_proof.js';
import { type Begun, beginSignIn, loginName } from './sign_in.js';
import type { NewSession } from './start_session.js';

export type SignInDeps = Pick<Deps, 'bell' | 'clock' | 'config' | 'db' | 'hashing' | 'log'>;

export interface SignIn extends Pick<NewSession, 'current' | 'request_id' | 'visit'> {
  readonly email: string;
  readonly password: string;
  /** The client's network. */
  readonly source: string;
  /** Gives the id of a browser that is known for a login, or null. */
  readonly device: (login: string) => string | null;
  /** Gives the digest of the mark by which a browser is spared the second factor of a person, or null. */
  readonly remembered: (user_id: string) => string | null;
}

/** Proves a password and goes on from there. Throws UserError: `wrong_credentials`, `too_many_attempts` or `busy`. */
export async function signIn(deps: SignInDeps, request: SignIn, now: number): Promise<Begun> {
  const { db, config } = deps;
  assertNotBusy(deps);
  const email_canonical = users.canonicalEmail(request.email);
  const user = await users.findByEmail(db, email_canonical);
  const credential = await credentials.find(db, user?.id ?? '', 'password');
  const attempt = {
    account: user?.id ?? email_canonical,
    source: request.source,
    device: request.device(loginOf(credential)), // the same work where there is nobody
  };
  const proved = await provePassword(deps, { password: request.password, attempt, credential }, now);
  if (proved === null || user === undefined || user.disabled_at !== null) {
    deps.log.info({ event: 'sign_in_failed', source: request.source }, 'sign-in failed');
    throw wrong();
  }

  const { current, request_id, visit } = request;
  const { id: user_id } = user;
  const begun = await db.transaction(async (trx) => {
    // The password was changed, or the user disabled, while it was being checked: then it does not count any more.
    if (!(await users.lock(trx, user_id)) || !(await settlePassword(trx, proved, now))) throw wrong();
    const proof = { user_id, credential_id: proved.credential.id, amr: [amr], current, request_id, visit };
    return beginSignIn(trx, config, { ...proof, remembered: request.remembered(user_id) }, now);
  });
  if (begun.session === null) {
    deps.log.info({ event: 'factor_asked', user_id, step: begun.sign_in.step }, 'a second factor is asked');
    return begun;
  }
  const { session_id: sid } = begun.session;
  if (current !== null && current.id !== sid) deps.bell.ring();
  deps.log.info({ event: 'signed_in', user_id, sid }, 'signed in');
  return begun;
}

/** What a browser may be known for; 'nobody' makes the same work where there is no such credential. */
export function loginOf(credential: credentials.CredentialRow | undefined): string {
  return credential === undefined ? 'nobody' : loginName(credential.user_id, credential.id);
}

function wrong(): UserError {
  return new UserError('wrong_credentials', 'login.wrong_credentials', 'password');
}
