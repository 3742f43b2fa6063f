/** ID tokens. OpenID Connect Core §2 and §3.1.3; protocol.md §5 and §30.3. */
import { claimsByName, claimsOfScopes } from '../claims/index.js';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { digest } from '../secrets.js';
import type { Client } from '../store/clients.js';
import type { UserRow } from '../store/users.js';
import type { GrantedUser } from './granted.js';

export interface IdTokenRequest {
  readonly client: Client;
  readonly granted: GrantedUser;
  readonly user: UserRow;
  readonly access_token: string;
}

export function signIdToken(
  ring: KeyRing,
  config: Pick<Config, 'ISSUER' | 'ID_TOKEN_SECONDS'>,
  request: IdTokenRequest,
  now: number,
): Promise<string> {
  const { client, granted, user, access_token } = request;
  const claims = {
    ...(client.id_token_claims === 'scope' && claimsOfScopes(user, granted.scope)),
    ...claimsByName(user, granted.claims.id_token),
    iss: config.ISSUER,
    sub: granted.user_id,
    aud: client.client_id,
    iat: now,
    exp: now + config.ID_TOKEN_SECONDS,
    auth_time: granted.auth_time,
    acr: granted.acr,
    amr: granted.amr,
    sid: granted.sid,
    at_hash: halfHash(access_token),
    ...(granted.nonce !== null && { nonce: granted.nonce }),
  };
  return ring.sign('JWT', claims, now);
}

/** The left half of the SHA-256 of a token, base64url: at_hash for RS256. OpenID Connect Core §3.1.3.6. */
export function halfHash(token: string): string {
  return Buffer.from(digest(token), 'base64url').subarray(0, 16).toString('base64url');
}

/** What an id_token_hint says. */
export interface Hint {
  readonly sub: string;
  readonly client_id: string;
  readonly sid: string | null;
}

/** Reads an ID token of ours that a client presents as a hint: it may have expired. Undefined if it is none of ours. */
export function readHint(ring: KeyRing, issuer: string, id_token: string, now: number): Hint | undefined {
  const claims = ring.verify('JWT', id_token, now)?.claims;
  if (claims === undefined || claims.iss !== issuer) return undefined;
  const { sub, aud, sid } = claims;
  if (typeof sub !== 'string' || typeof aud !== 'string') return undefined;
  return { sub, client_id: aud, sid: typeof sid === 'string' ? sid : null };
}
