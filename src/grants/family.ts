/** The life of a family of refresh tokens: one row, rotated in place by refresh_token.ts. Decisions 8; RFC 9700 §4.14. */
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { OAuthError } from '../oauth/errors.js';
import { digest, newId } from '../secrets.js';
import type { Client } from '../store/clients.js';
import type { Trx } from '../store/db.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import { newRefreshToken } from '../tokens/refresh_token.js';

/** What all tokens of the family say. */
export type FamilyOf = Pick<
  refreshTokens.RefreshTokenRow,
  | 'authorization_id'
  | 'client_id'
  | 'user_id'
  | 'scope'
  | 'ignored_scope'
  | 'resource'
  | 'claims'
  | 'auth_time'
  | 'amr'
  | 'acr'
  | 'sid'
>;

/** When the last access token will have expired that a client can get of what it is granted now. In seconds since 1970, like `now`. */
export function lastTokenExpiresAt(
  { grant_types }: Pick<Client, 'grant_types'>,
  { ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS }: Config,
  now: number,
): number {
  return now + ACCESS_TOKEN_SECONDS + (grant_types.includes('refresh_token') ? REFRESH_TOKEN_SECONDS : 0);
}

/** Begins one. Gives its first token. */
export async function startFamily(
  trx: Trx,
  request: { readonly ring: KeyRing; readonly config: Config; readonly now: number },
  of: FamilyOf,
): Promise<string> {
  const { ring, now, config } = request;
  const { authorization_id, client_id, user_id, scope, ignored_scope, resource } = of;
  const { claims, auth_time, amr, acr, sid } = of;
  const id = newId();
  const token = newRefreshToken(ring, id, 1);
  await refreshTokens.insert(trx, {
    ...{ id, authorization_id, client_id, user_id, scope, ignored_scope, resource },
    ...{ claims, auth_time, amr, acr, sid },
    generation: 1,
    token_hash: digest(token),
    successor_sealed: null,
    rotated_at: null,
    created_at: now,
    expires_at: now + config.REFRESH_TOKEN_SECONDS,
    revoked_at: null,
  });
  return token;
}

/** Why a family yields nothing any more; undefined while it lives. */
export function endOf(family: refreshTokens.FoundFamily, now: number): OAuthError | undefined {
  if (family.revoked_at !== null || family.authorization_revoked_at !== null)
    return new OAuthError('invalid_grant', 'refresh_token was revoked');
  if (family.expires_at <= now) return new OAuthError('invalid_grant', 'refresh_token has expired');
  if (family.user_disabled_at !== null) return new OAuthError('invalid_grant', 'the user is disabled');
  if (family.client_disabled_at !== null) return new OAuthError('invalid_client', 'the client is disabled');
  if (family.session_id !== '' && (family.session_expires_at ?? 0) <= now)
    return new OAuthError('invalid_grant', 'the session that refresh_token belongs to has ended');
  return undefined;
}
