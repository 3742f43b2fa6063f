/**
 * grant_type=refresh_token. RFC 6749 §6; OpenID Connect Core §12; RFC 9700 §4.14.2; decisions 8.
 * A family is one row, rotated by one conditional update. The token that was just replaced is answered with the same successor for
 * a few seconds, so a lost answer or a second tab harms nobody; any older one ends the family.
 */
import { notifyUser } from '../mail/queue.js';
import { rotatesRefreshTokens } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import { intersect, parseScope, scopeWords, without } from '../oauth/scope.js';
import { digest, equal } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import * as sessions from '../store/sessions.js';
import {
  newRefreshToken,
  openSuccessor,
  type ParsedRefreshToken,
  parseRefreshToken,
  sealSuccessor,
} from '../tokens/refresh_token.js';
import { statusOf } from '../tokens/status.js';
import { endOf } from './family.js';
import { type GrantRequest, grantedAudience, type StoredGrant, storedClaims, storedScope } from './grant.js';

export const refreshToken: StoredGrant = {
  grant_type: 'refresh_token',
  stores: true,

  async exchange(trx, request) {
    const { now, client, params, ring } = request;
    const presented = params.require('refresh_token');
    const parsed = parseRefreshToken(ring, presented);
    if (parsed === undefined) throw unknownToken();
    // Rotated first, judged afterwards: whatever is thrown from here on undoes it.
    const rotated = rotatesRefreshTokens(client) ? await rotate(trx, request, presented, parsed) : undefined;
    const family = rotated?.family ?? (await refreshTokens.find(trx, parsed.id));
    if (family === undefined || family.client_id !== client.client_id) throw unknownToken();
    const ended = endOf(family, now);
    if (ended !== undefined) throw ended;

    const asked = params.get('scope');
    const scope = narrowedScope(asked, family, storedScope(request, family.scope));
    const audience = grantedAudience(request, scope, scopeWords(family.resource));
    if (asked !== undefined && audience.scope.length === 0 && !scope.includes('openid'))
      throw new OAuthError('invalid_scope', 'nothing of scope was granted at this resource');
    const next = rotated?.successor ?? (await answerAgain(trx, request, { family, presented, parsed }));
    if (next instanceof OAuthError) return next; // returned: the revocation stays

    await keepSessionAwake(trx, request, family);
    const { user_id, authorization_id, sid, auth_time, acr } = family;
    const amr = family.amr.split(' ');
    const status = statusOf(family);
    const claims = storedClaims(request, family.claims);
    return {
      user: { user_id, authorization_id, status, sid, auth_time, acr, amr, scope, claims, nonce: null },
      ...audience,
      refresh_token: next,
    };
  },
};

function unknownToken(): OAuthError {
  return new OAuthError('invalid_grant', 'refresh_token is unknown');
}

/** Replaces the token that was presented, if it is its family's current one. */
async function rotate(
  trx: Trx,
  { ring, now }: GrantRequest,
  presented: string,
  { id, generation }: ParsedRefreshToken,
): Promise<{ readonly family: refreshTokens.FoundFamily; readonly successor: string } | undefined> {
  const successor = newRefreshToken(ring, id, generation + 1);
  const family = await refreshTokens.rotate(trx, {
    id,
    before: digest(presented),
    generation: generation + 1,
    token_hash: digest(successor),
    successor_sealed: sealSuccessor(presented, successor),
    now,
  });
  return family && { family, successor };
}

/**
 * The scope asked for, which may be less than what was granted, never more (RFC 6749 §6). What the authorization request asked for in vain
 * is left out here as well (protocol.md §30.4), like what was granted and is not registered for the client any more.
 */
function narrowedScope(
  asked: string | undefined,
  { scope, ignored_scope }: Pick<refreshTokens.FoundFamily, 'scope' | 'ignored_scope'>,
  granted: readonly string[],
): readonly string[] {
  if (asked === undefined) return granted;
  const words = parseScope(asked);
  const [wider] = without(words, [...scopeWords(scope), ...scopeWords(ignored_scope)]);
  if (wider !== undefined) throw new OAuthError('invalid_scope', `scope ${wider} was not granted`);
  return intersect(words, granted);
}

interface Presented {
  /** As it is now. */
  readonly family: refreshTokens.FoundFamily;
  readonly presented: string;
  readonly parsed: ParsedRefreshToken;
}

/**
 * The refresh token to answer where none was replaced: null where the client keeps the one it has, and the same successor once more
 * where another request was faster. Else it was replaced before: returns an error after it ended the family.
 */
async function answerAgain(
  trx: Trx,
  request: GrantRequest,
  { family, presented, parsed }: Presented,
): Promise<string | null | OAuthError> {
  const { client, now } = request;
  const current = equal(digest(presented), family.token_hash);
  if (current && !rotatesRefreshTokens(client)) return null;
  const replaced_just_now =
    family.generation === parsed.generation + 1 &&
    now < (family.rotated_at ?? 0) + client.refresh_grace_seconds;
  const successor =
    replaced_just_now &&
    family.successor_sealed !== null &&
    openSuccessor(presented, family.successor_sealed);
  return successor || endFamily(trx, request, family);
}

/**
 * A replaced token came back after its time: somebody else has one of the two. Everything of the authorization ends, and its owner is
 * told.
 */
async function endFamily(
  trx: Trx,
  { client, now, config, ring }: GrantRequest,
  family: refreshTokens.RefreshTokenRow,
): Promise<OAuthError> {
  await refreshTokens.revoke(trx, family.id, now);
  await authorizations.revoke(trx, family.authorization_id, now);
  const reuse = {
    type: 'refresh_token_reused',
    user_id: family.user_id,
    client_id: family.client_id,
  } as const;
  await events.record(trx, reuse, now, config.EVENTS_SECONDS);
  const message = { name: 'token_reused', client: client.client_name } as const;
  await notifyUser(trx, { config, ring }, { user_id: family.user_id, message }, now);
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
