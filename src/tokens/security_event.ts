/** Security Event Tokens about revocations: RFC 8417; CAEP 1.0 §3.1 (session-revoked), with the place in the status list that changed. */
import type { KeyRing } from '../keys/keys.js';
import { newId } from '../secrets.js';
import { statusListUri } from './status.js';
import type { Revocation } from './status_lists.js';

export const session_revoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

/** Signs the event. It names no person: whoever holds a token with this index knows whose it is. */
export function signSessionRevoked(
  ring: KeyRing,
  issuer: string,
  { status_list, status_index, revoked_at }: Revocation,
  now: number,
): Promise<string> {
  const uri = statusListUri(issuer, status_list);
  const claims = {
    iss: issuer,
    iat: now,
    jti: newId(),
    sub_id: { format: 'opaque', id: `${uri}#${status_index}` },
    events: {
      [session_revoked]: { event_timestamp: revoked_at, status_list: { idx: status_index, uri } },
    },
  };
  return ring.sign('secevent+jwt', claims, now);
}
