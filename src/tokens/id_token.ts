/** ID tokens. OpenID Connect Core §2 and §3.1.3; protocol.md §5 and §30.3. */
import { hash } from 'node:crypto';
import { claimsByName, claimsOfScopes } from '../claims/index.js';
import type { Config } from '../config.js';
import { isJwe } from '../keys/jwe.js';
import type { KeyRing } from '../keys/keys.js';
import { type JwsAlg, jwsAlgorithms } from '../oauth/algorithms.js';
import type { Client } from '../store/clients.js';
import type { UserRow } from '../store/users.js';
import { type ClientJwtDeps, clientJwt } from './client_jwt.js';
import type { GrantedUser } from './granted.js';
import { sidFor, subjectOf } from './subject.js';

export interface IdTokenRequest {
  readonly client: Client;
  readonly granted: GrantedUser;
  readonly user: UserRow;
  /** What it is issued beside, and bound to by a hash; null for what is not. */
  readonly access_token: string | null;
  readonly code: string | null;
  readonly state: string | null;
  /** Whether the claims of the scopes are in it, beside those that were asked for by name. */
  readonly scope_claims: boolean;
}

/** Signed and, where the client wants that, encrypted. Throws as clientJwt. */
export function signIdToken(
  deps: ClientJwtDeps & { readonly config: Pick<Config, 'ISSUER' | 'ID_TOKEN_SECONDS'> },
  request: IdTokenRequest,
  now: number,
): Promise<string> {
  const { config, ring } = deps;
  const { client, granted, user, access_token, code, state } = request;
  const halfOf = (text: string) => halfHash(text, client.id_token_signed_response_alg);
  const claims = {
    ...(request.scope_claims && claimsOfScopes(user, granted.scope)),
    ...claimsByName(user, granted.claims.id_token),
    iss: config.ISSUER,
    sub: subjectOf(ring, client, granted.user_id),
    aud: client.client_id,
    iat: now,
    exp: now + config.ID_TOKEN_SECONDS,
    auth_time: granted.auth_time,
    acr: granted.acr,
    amr: granted.amr,
    sid: sidFor(ring, client, granted.sid),
    ...(access_token !== null && { at_hash: halfOf(access_token) }),
    ...(code !== null && { c_hash: halfOf(code) }),
    ...(state !== null && { s_hash: halfOf(state) }),
    ...(granted.nonce !== null && { nonce: granted.nonce }),
  };
  return clientJwt(deps, client, 'id_token', claims, now);
}

/**
 * The left half of the hash of a text, base64url: at_hash, c_hash and s_hash in an ID token that is signed with `alg`. OpenID Connect
 * Core §3.1.3.6, §3.3.2.11.
 */
export function halfHash(text: string, alg: JwsAlg): string {
  const bytes = Buffer.from(hash(jwsAlgorithms[alg].hash, text, 'base64url'), 'base64url');
  return bytes.toString('base64url', 0, bytes.length / 2);
}

/** What an id_token_hint says. */
export interface Hint {
  readonly sub: string;
  readonly client_id: string;
  /** The session, as the client knows it. */
  readonly sid: string | null;
}

/**
 * Reads an ID token of ours that a client presents as a hint: it may have expired, and the client may have encrypted it to us (Core
 * §3.1.2.1). Undefined if it is none of ours.
 */
export async function readHint(
  ring: KeyRing,
  issuer: string,
  hint: string,
  now: number,
): Promise<Hint | undefined> {
  const id_token = isJwe(hint) ? await ring.decrypt(hint, now) : hint;
  const claims = id_token === undefined ? undefined : ring.verify('JWT', id_token, now)?.claims;
  if (claims === undefined || claims.iss !== issuer) return undefined;
  const { sub, aud, sid, exp } = claims;
  // A signed answer of userinfo has the same type, and no end: it is no ID token.
  if (typeof sub !== 'string' || typeof aud !== 'string' || typeof exp !== 'number') return undefined;
  return { sub, client_id: aud, sid: typeof sid === 'string' ? sid : null };
}
