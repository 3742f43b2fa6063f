/** Logout tokens. OpenID Connect Back-Channel Logout 1.0 §2.4; protocol.md BCL-02. */
import type { Config } from '../config.js';
import { newId } from '../secrets.js';
import type { Client } from '../store/clients.js';
import { type ClientJwtDeps, clientJwt } from './client_jwt.js';
import { sidFor, subjectOf } from './subject.js';

/** Seconds that a logout token is valid: two minutes, as §2.4 has it. */
export const logout_token_seconds = 120;

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

export interface LogoutTokenRequest {
  readonly client: Client;
  readonly user_id: string;
  readonly sid: string;
}

/**
 * Tells a client that a session has ended: `sub` and `sid` are those of its ID tokens, and so is the algorithm. It has a `jti` of its
 * own each time, so that a retry is no replay, and never a nonce.
 * Throws as clientJwt.
 */
export function signLogoutToken(
  deps: ClientJwtDeps & { readonly config: Pick<Config, 'ISSUER'> },
  { client, user_id, sid }: LogoutTokenRequest,
  now: number,
): Promise<string> {
  const claims = {
    iss: deps.config.ISSUER,
    sub: subjectOf(deps.ring, client, user_id),
    aud: client.client_id,
    iat: now,
    exp: now + logout_token_seconds,
    jti: newId(),
    sid: sidFor(deps.ring, client, sid),
    events: { [logoutEvent]: {} },
  };
  return clientJwt(deps, client, 'logout', claims, now);
}
