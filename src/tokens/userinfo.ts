/** What userinfo says to an access token. OpenID Connect Core §5.3. Asks the database each time, so a revocation is seen at once. */
import { type Claims, claimsByName, claimsOfScopes } from '../claims/index.js';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { OAuthError } from '../oauth/errors.js';
import type { Caches } from '../store/caches.js';
import type { Db } from '../store/db.js';
import { readAccessToken } from './access_token.js';
import { findHolder } from './holder.js';

export interface Userinfo {
  /** The client that the token was given to. */
  readonly client_id: string;
  readonly claims: Claims;
}

/** Throws `invalid_token` where the token is not good here any more, `insufficient_scope` where it lacks the scope openid. */
export async function loadUserinfo(
  deps: { readonly db: Db; readonly caches: Caches; readonly config: Config; readonly ring: KeyRing },
  access_token: string,
  now: number,
): Promise<Userinfo> {
  const token = readAccessToken(deps.ring, deps.config, access_token, { now });
  if (token === undefined) throw invalidToken();
  if (!token.scope.includes('openid'))
    throw new OAuthError('insufficient_scope', 'the access token lacks the scope openid');

  const user = await findHolder(deps, token);
  if (user === undefined) throw invalidToken();

  const requested = Object.fromEntries(token.userinfo_claims.map((name) => [name, {}]));
  const claims = { ...claimsOfScopes(user, token.scope), ...claimsByName(user, requested), sub: token.sub };
  return { client_id: token.client_id, claims };
}

function invalidToken(): OAuthError {
  return new OAuthError('invalid_token', 'the access token is not valid here, has expired or was revoked');
}
