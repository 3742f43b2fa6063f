/**
 * grant_type=refresh_token. RFC 6749 §6; OpenID Connect Core §12; RFC 9700 §4.14.2; decisions 8.
 * A family is one row, rotated by one conditional update. The token that was just replaced is answered with the same successor for
 * a few seconds, so a lost answer or a second tab harms nobody; any older one ends the family.
 */

import type { KeyRing } from '../keys/keys.js';
import { rotatesRefreshTokens } from '../oauth/client_metadata.js';
import { OAuthError } from '../oauth/errors.js';
import { parseScope, scopeWords } from '../oauth/scope.js';
import { digest, equal } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import * as sessions from '../store/sessions.js';
import { newRefreshToken, openSuccessor, parseRefreshToken, sealSuccessor } from '../tokens/refresh_token.js';
import { type Grant, type GrantRequest, grantedAudience, storedClaims, storedScope } from './grant.js';

export const refreshToken: Grant = {
  grant_type: 'refresh_token',
  stores: true,

  async exchange(trx, request) {
    const { now, client, params, ring } = request;
    const presented = params.require('refresh_token');
    const parsed = parseRefreshToken(ring, presented);
    const family = parsed && (await refreshTokens.find(trx, parsed.id));
    if (!parsed || !family || family.client_id !== client.client_id) {
      throw new OAuthError('invalid_grant', 'refresh_token is unknown');
    }
    assertAlive(family, now);

    const scope = narrowedScope(
      params.get('scope'),
      storedScope(request, family.scope),
      scopeWords(client.scope),
    );
    const audience = grantedAudience(request, scope, scopeWords(family.resource));
    const next = await successorOf(trx, request, family, presented, parsed.generation);
    if (next instanceof OAuthError) return next; // returned: the revocation stays

    await keepSessionAwake(trx, request, family);
    const { user_id, authorization_id, sid, auth_time, acr } = family;
    const amr = family.amr.split(' ');
    const claims = storedClaims(request, family.claims);
    return {
      user: { user_id, authorization_id, sid, auth_time, acr, amr, scope, claims, nonce: null },
      ...audience,
      refresh_token: next,
    };
  },
};

function assertAlive(family: refreshTokens.FoundFamily, now: number): void {
  if (family.revoked_at !== null || family.authorization_revoked_at !== null) {
    throw new OAuthError('invalid_grant', 'refresh_token was revoked');
  }
  if (family.expires_at <= now) throw new OAuthError('invalid_grant', 'refresh_token has expired');
  if (family.user_disabled_at !== null) throw new OAuthError('invalid_grant', 'the user is disabled');
  if (family.client_disabled_at !== null) throw new OAuthError('invalid_client', 'the client is disabled');
  const bound = family.session_id !== '';
  if (bound && (family.session_expires_at === null || family.session_expires_at <= now)) {
    throw new OAuthError('invalid_grant', 'the session that refresh_token belongs to has ended');
  }
}

/**
 * The scope asked for, which may be less than what was granted, never more (RFC 6749 §6). What the authorization request ignored is
 * ignored here as well: a word that the client cannot be granted, and offline_access where it does nothing (protocol.md §30.4).
 */
function narrowedScope(
  asked: string | undefined,
  granted: readonly string[],
  grantable: readonly string[],
): readonly string[] {
  if (asked === undefined) return granted;
  const ignored = (word: string) =>
    !grantable.includes(word) || (word === 'offline_access' && !granted.includes(word));
  const words = parseScope(asked).filter((word) => !ignored(word));
  const wider = words.find((word) => !granted.includes(word));
  if (wider !== undefined) throw new OAuthError('invalid_scope', `scope ${wider} was not granted`);
  return words;
}

/** The refresh token to answer: null where the client keeps the one it has. Returns an error after it ended the family. */
async function successorOf(
  trx: Trx,
  { client, ring, now, config }: GrantRequest,
  family: refreshTokens.FoundFamily,
  presented: string,
  generation: number,
): Promise<string | null | OAuthError> {
  if (equal(digest(presented), family.token_hash)) {
    if (!rotatesRefreshTokens(client)) return null;
    const successor = await rotate(trx, ring, { family, presented, now });
    if (successor !== undefined) return successor;
  }
  // Another request was faster, or the token was replaced before: what is there now decides.
  const current = (await refreshTokens.find(trx, family.id)) ?? family;
  const replaced_just_now =
    current.generation === generation + 1 && now < (current.rotated_at ?? 0) + client.refresh_grace_seconds;
  const successor =
    replaced_just_now &&
    current.successor_sealed !== null &&
    openSuccessor(presented, current.successor_sealed);
  return successor || endFamily(trx, family, config.EVENTS_SECONDS, now);
}

interface Rotation {
  readonly family: refreshTokens.RefreshTokenRow;
  readonly presented: string;
  readonly now: number;
}

async function rotate(
  trx: Trx,
  ring: KeyRing,
  { family, presented, now }: Rotation,
): Promise<string | undefined> {
  const generation = family.generation + 1;
  const successor = newRefreshToken(ring, family.id, generation);
  const won = await refreshTokens.rotate(trx, {
    id: family.id,
    before: family.token_hash,
    generation,
    token_hash: digest(successor),
    successor_sealed: sealSuccessor(presented, successor),
    now,
  });
  return won ? successor : undefined;
}

/** A replaced token came back after its time: somebody else has one of the two. Everything of the authorization ends. */
async function endFamily(
  trx: Trx,
  family: refreshTokens.RefreshTokenRow,
  keep_seconds: number,
  now: number,
): Promise<OAuthError> {
  await refreshTokens.revoke(trx, family.id, now);
  await authorizations.revoke(trx, family.authorization_id, now);
  const reuse = {
    type: 'refresh_token_reused',
    user_id: family.user_id,
    client_id: family.client_id,
  } as const;
  await events.record(trx, reuse, now, keep_seconds);
  return new OAuthError('invalid_grant', 'refresh_token was used before; what it belonged to is revoked');
}

/** An application that refreshes is a session in use. */
async function keepSessionAwake(
  trx: Trx,
  { now, config }: GrantRequest,
  family: refreshTokens.FoundFamily,
): Promise<void> {
  if (family.session_id === '' || (family.session_last_seen_at ?? now) >= now - 60) return;
  await sessions.touch(trx, family.session_id, now + config.SESSION_IDLE_SECONDS, now);
}
