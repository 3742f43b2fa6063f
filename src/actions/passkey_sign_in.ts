/** Signing in with a passkey and nothing else: it says who it is, and has found out that they are there, so it counts as two factors. */
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import * as users from '../store/users.js';
import { type PasskeyAnswer, type PasskeyDeps, provePasskey, settlePasskey } from './passkey_proof.js';
import { type Begun, beginSignIn } from './sign_in.js';
import type { NewSession } from './start_session.js';

export interface PasskeySignIn
  extends Omit<PasskeyAnswer, 'user_id'>,
    Pick<NewSession, 'current' | 'request_id' | 'visit'> {}

/** Throws UserError as provePasskey does, and `wrong_credentials` where the person may not sign in. */
export async function signInByPasskey(
  deps: PasskeyDeps & Pick<Deps, 'bell'>,
  { current, request_id, visit, ...answer }: PasskeySignIn,
  now: number,
): Promise<Begun> {
  const { config } = deps;
  const proved = await provePasskey(deps, { ...answer, user_id: null }, now);
  const { user_id } = proved.passkey;
  const begun = await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) return new UserError('wrong_credentials', 'passkeys.refused');
    const refused = await settlePasskey(trx, config, proved, now);
    if (refused !== null) return refused;
    const proof = { user_id, credential_id: null, amr: proved.amr, current, request_id, visit };
    return beginSignIn(trx, config, proof, now);
  });
  if (begun instanceof UserError) throw begun;
  const sid = begun.session?.session_id;
  if (current !== null && current.id !== sid) deps.bell.ring();
  deps.log.info({ event: 'signed_in', user_id, sid }, 'signed in with a passkey');
  return begun;
}
