/** Logout tokens. OpenID Connect Back-Channel Logout 1.0 §2.4; protocol.md BCL-02. */
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { newId } from '../secrets.js';

/** Seconds that a logout token is valid: two minutes, as §2.4 has it. */
export const logout_token_seconds = 120;

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

export interface LogoutTokenRequest {
  readonly client_id: string;
  /** As in the ID tokens of the session. */
  readonly sub: string;
  readonly sid: string;
}

/** Tells a client that a session has ended. It has a `jti` of its own each time, so that a retry is no replay, and never a nonce. */
export function signLogoutToken(
  ring: KeyRing,
  config: Pick<Config, 'ISSUER'>,
  { client_id, sub, sid }: LogoutTokenRequest,
  now: number,
): Promise<string> {
  const claims = {
    iss: config.ISSUER,
    sub,
    aud: client_id,
    iat: now,
    exp: now + logout_token_seconds,
    jti: newId(),
    sid,
    events: { [logoutEvent]: {} },
  };
  return ring.sign('logout+jwt', claims, now);
}
