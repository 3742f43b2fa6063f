/**
 * What an application of the operator's own gets for a sign-in that it took itself: the authorization and, if it refreshes, a family of
 * refresh tokens, in one transaction. Nobody is asked: the operator marked the application as their own. Decisions 7 and 29.
 */
import type { Deps } from '../deps.js';
import { startFamily } from '../grants/family.js';
import type { KeyRing } from '../keys/keys.js';
import { noClaims } from '../oauth/claims_request.js';
import { OAuthError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import type { SessionRow } from '../store/sessions.js';
import type { Granted } from '../tokens/granted.js';

export interface DirectGrant {
  readonly client: Client;
  readonly session: SessionRow;
  /** All that is granted, and the resources that were asked for. */
  readonly scope: readonly string[];
  readonly resource: readonly string[];
  /** What of it the access token says. */
  readonly access: Pick<Granted, 'audience' | 'scope'>;
  readonly ring: KeyRing;
}

/** Throws `login_required` where the session ended at this very moment: nothing is given out for it any more. */
export async function grantDirectly(
  { config, db, statusIndices }: Pick<Deps, 'config' | 'db' | 'statusIndices'>,
  { client, session, scope, resource, access, ring }: DirectGrant,
  now: number,
): Promise<Granted> {
  const { client_id } = client;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const refreshes = client.grant_types.includes('refresh_token');
  const expires_at = now + config.ACCESS_TOKEN_SECONDS + (refreshes ? config.REFRESH_TOKEN_SECONDS : 0);

  const reserved = await statusIndices.reserve(now);

  const granted = await db.transaction(async (trx) => {
    const row = {
      id: newId(),
      user_id,
      client_id,
      sid,
      session_id: sid,
      created_at: now,
      expires_at,
      ...reserved,
    };
    const authorization = await authorizations.upsert(trx, row, now);
    if (authorization === undefined) throw new OAuthError('login_required', 'the session has just ended');
    const { id: authorization_id, status_list, status_index } = authorization;
    const of = {
      ...{ authorization_id, client_id, user_id, claims: null, auth_time, amr, acr, sid },
      scope: scope.join(' '),
      resource: resource.join(' '),
    };
    const family = refreshes ? await startFamily(trx, { ring, config, now }, of) : null;
    return {
      user: {
        ...{ user_id, authorization_id, sid, auth_time, acr, scope },
        status: { status_list, status_index },
        amr: amr.split(' '),
        claims: noClaims,
        nonce: null,
      },
      ...access,
      refresh_token: family?.refresh_token ?? null,
    };
  });
  if (granted.user.status.status_index !== reserved.status_index) statusIndices.giveBack(reserved);
  return granted;
}
