/**
 * What an application of the operator's own gets for a sign-in that it took itself: the authorization and, if it refreshes, a family of
 * refresh tokens, in one transaction. Nobody is asked: the operator marked the application as their own. Decisions 7 and 29.
 */
import type { Deps } from '../deps.js';
import { lastTokenExpiresAt, startFamily } from '../grants/family.js';
import type { KeyRing } from '../keys/keys.js';
import { noClaims } from '../oauth/claims_request.js';
import type { Client } from '../store/clients.js';
import type { SessionRow } from '../store/sessions.js';
import type { Granted } from '../tokens/granted.js';
import { withAuthorization } from './authorizations.js';

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

/** Throws as withAuthorization. */
export async function grantDirectly(
  deps: Pick<Deps, 'config' | 'db' | 'statusIndices'>,
  { client, session, scope, resource, access, ring }: DirectGrant,
  now: number,
): Promise<Granted> {
  const { config } = deps;
  const { client_id } = client;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const refreshes = client.grant_types.includes('refresh_token');
  const authorized = {
    ...{ client, session, offline: false },
    last_token_expires_at: lastTokenExpiresAt(client, config, now),
  };
  return withAuthorization(deps, authorized, now, async (trx, authorization) => {
    const { id: authorization_id, status_list, status_index } = authorization;
    const of = {
      ...{ authorization_id, client_id, user_id, claims: null, auth_time, amr, acr, sid },
      scope: scope.join(' '),
      ignored_scope: '',
      resource: resource.join(' '),
    };
    return {
      user: {
        ...{ user_id, authorization_id, sid, auth_time, acr, scope },
        status: { status_list, status_index },
        amr: amr.split(' '),
        claims: noClaims,
        nonce: null,
      },
      ...access,
      refresh_token: refreshes ? await startFamily(trx, { ring, config, now }, of) : null,
    };
  });
}
