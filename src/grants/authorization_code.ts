/**
 * grant_type=authorization_code: the client trades its code for tokens.
 * RFC 6749 §4.1.3; PKCE, RFC 7636 §4.6; replay, RFC 6749 §4.1.2 and RFC 9700 §4.5.
 */
import { OAuthError } from '../oauth/errors.js';
import { verifyChallenge } from '../oauth/pkce.js';
import { profileOf } from '../oauth/profiles.js';
import { scopeWords } from '../oauth/scope.js';
import { digest } from '../secrets.js';
import * as authorizationCodes from '../store/authorization_codes.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import { statusOf } from '../tokens/status.js';
import { lastTokenExpiresAt, startFamily } from './family.js';
import { type Grant, type GrantRequest, grantedAudience, storedClaims, storedScope } from './grant.js';

export const authorizationCode: Grant = {
  grant_type: 'authorization_code',
  stores: true,

  async exchange(trx, request) {
    const { now, client, params, config } = request;
    const refreshes = client.grant_types.includes('refresh_token');
    const keep_until = lastTokenExpiresAt(client, config, now);
    const code_hash = digest(params.require('code'));
    // Consumed first, judged afterwards: whatever is thrown from here on undoes it.
    const code = await authorizationCodes.consume(trx, code_hash, keep_until, now);
    if (code === undefined) return replayed(trx, request, code_hash);
    assertRightRequest(code, request);
    // After the replay rule: a code that is used again an hour later is a replay all the same.
    if (code.expires_at <= now) throw new OAuthError('invalid_grant', 'code has expired');
    if (code.authorization_revoked_at !== null)
      throw new OAuthError('invalid_grant', 'the authorization has ended');
    // With offline_access the authorization outlives the session, but a sign-out ends what has not been redeemed yet.
    if (code.living_sid === null) throw new OAuthError('invalid_grant', 'the session has ended');
    if (code.user_disabled_at !== null) throw new OAuthError('invalid_grant', 'the user is disabled');
    if (code.client_disabled_at !== null) throw new OAuthError('invalid_client', 'the client is disabled');

    const scope = storedScope(request, code.scope);
    const { authorization_id, user_id, sid, auth_time, acr, nonce } = code;
    return {
      user: {
        user_id,
        authorization_id,
        status: statusOf(code),
        sid,
        auth_time,
        acr,
        amr: code.amr.split(' '),
        scope,
        claims: storedClaims(request, code.claims),
        nonce,
      },
      ...grantedAudience(request, scope, scopeWords(code.resource)),
      refresh_token: refreshes ? await newFamily(trx, request, code) : null,
    };
  },
};

/** A code that cannot be consumed: unknown, or used before. Then what it gave is revoked. */
async function replayed(trx: Trx, request: GrantRequest, code_hash: string): Promise<OAuthError> {
  const { now, client, config } = request;
  const used = await authorizationCodes.find(trx, code_hash);
  if (used === undefined) throw new OAuthError('invalid_grant', 'code is unknown');
  assertRightRequest(used, request);
  await authorizations.revoke(trx, used.authorization_id, now);
  const replay = { type: 'code_replayed', user_id: used.user_id, client_id: client.client_id } as const;
  await events.record(trx, replay, now, config.EVENTS_SECONDS);
  return new OAuthError('invalid_grant', 'code was used before'); // returned: the revocation stays
}

/** The code's own request must be repeated. PKCE comes before the replay rule: only who holds the verifier can set off a revocation. */
function assertRightRequest(
  code: authorizationCodes.AuthorizationCodeRow,
  { client, params }: GrantRequest,
): void {
  if (code.client_id !== client.client_id) throw new OAuthError('invalid_grant', 'code is unknown'); // another client's code is unknown to this one
  const redirect_uri = params.get('redirect_uri');
  const code_verifier = params.get('code_verifier');
  const left_out = redirect_uri === undefined && profileOf(client).token_request_without_redirect_uri;
  if (redirect_uri !== code.redirect_uri && !left_out) {
    throw new OAuthError('invalid_grant', 'redirect_uri is not the one that the code was requested with');
  }
  if (code.code_challenge === null) {
    // RFC 9700 §4.8.2: a verifier without a challenge means that somebody took the challenge away.
    if (code_verifier !== undefined)
      throw new OAuthError(
        'invalid_grant',
        'code_verifier is sent, but the code was requested without code_challenge',
      );
    return;
  }
  if (code_verifier === undefined) throw new OAuthError('invalid_grant', 'code_verifier is missing');
  if (!verifyChallenge(code.code_challenge, code_verifier)) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match code_challenge');
  }
}

/** The refresh token: its family lives as long as the authorization, which is kept for it. */
async function newFamily(
  trx: Trx,
  request: GrantRequest,
  code: authorizationCodes.FoundCode,
): Promise<string> {
  const { authorization_id, authorization_expires_at, keep_until } = code;
  if (authorization_expires_at < keep_until) await authorizations.extend(trx, authorization_id, keep_until);
  return startFamily(trx, request, code);
}
