/** Taking back single tokens. RFC 7009; decisions 7. */
import type { Deps } from '../deps.js';
import { OAuthError } from '../oauth/errors.js';
import * as authorizations from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import { type AccessToken, readAccessToken } from '../tokens/access_token.js';
import { type ParsedRefreshToken, parseRefreshToken } from '../tokens/refresh_token.js';
import { renewClientStatus } from './clients.js';

type TokenDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys' | 'log' | 'statusIndices'>;

/**
 * Revokes a token of a client. A refresh token takes with it all that came of the same authorization (RFC 7009 §2.1); an access
 * token takes the other access tokens of its authorization, which share its status, and leaves the refresh token. A token that
 * is unknown, or has ended, is none. Throws `unauthorized_client` for another client's, `unsupported_token_type` for an ID token.
 */
export async function revokeToken(
  deps: TokenDeps,
  client: Client,
  token: string,
  now: number,
): Promise<void> {
  const ring = await deps.keys.get();
  const refresh_token = parseRefreshToken(ring, token);
  if (refresh_token !== undefined) return revokeRefreshToken(deps, client, refresh_token, now);
  const access_token = readAccessToken(ring, deps.config, token, { now, allow_any_audience: true });
  if (access_token !== undefined) return revokeAccessToken(deps, client, access_token, now);
  if (ring.verify('JWT', token, now) !== undefined)
    throw new OAuthError('unsupported_token_type', 'an ID token cannot be revoked: end the session instead');
}

async function revokeRefreshToken(
  deps: TokenDeps,
  client: Client,
  { id }: ParsedRefreshToken,
  now: number,
): Promise<void> {
  const family = await refreshTokens.find(deps.db, id);
  if (family === undefined) return;
  assertOwn(client, family.client_id);
  await deps.db.transaction(async (trx) => {
    await refreshTokens.revoke(trx, id, now);
    await authorizations.revoke(trx, family.authorization_id, now);
  });
  tellRevoked(deps, client, 'refresh_token');
}

async function revokeAccessToken(
  deps: TokenDeps,
  client: Client,
  { client_id, authorization_id, status, exp }: AccessToken,
  now: number,
): Promise<void> {
  assertOwn(client, client_id);
  if (authorization_id === '') {
    if (status !== null) await renewClientStatus(deps, client_id, status, now);
  } else if (status === null) {
    // From a release without status lists: it has no status of its own, so all of its authorization ends.
    await deps.db.transaction((trx) => authorizations.revoke(trx, authorization_id, now));
  } else {
    const after = await deps.statusIndices.reserve(now);
    const expires_at = Math.max(exp, now + deps.config.ACCESS_TOKEN_SECONDS);
    const renewal = { before: status, after, expires_at };
    const renewed = await deps.db.transaction((trx) =>
      authorizations.renewStatus(trx, authorization_id, renewal, now),
    );
    if (!renewed) deps.statusIndices.giveBack(after);
  }
  tellRevoked(deps, client, 'access_token');
}

function tellRevoked({ log }: TokenDeps, { client_id }: Client, token_type: string): void {
  log.info({ event: 'token_revoked', client_id, token_type }, 'token revoked');
}

function assertOwn(client: Client, client_id: string): void {
  if (client.client_id !== client_id)
    throw new OAuthError('unauthorized_client', 'the token was issued to another client');
}
