/** Gives out an authorization code: the authorization and the code, in one transaction. RFC 6749 §4.1.2; decisions 7. */
import type { Deps } from '../deps.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { isToldLogout } from '../oauth/client_metadata.js';
import { OAuthError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as authorizationCodes from '../store/authorization_codes.js';
import * as authorizations from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import type { LiveSession } from '../store/sessions.js';

interface CodeRequest {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly session: LiveSession;
}

/**
 * The code: 256 random bits. It is stored, as a digest, when this returns. Throws `login_required` where the session ended at this
 * very moment: nothing is given out for it any more.
 */
export async function issueCode(
  deps: Pick<Deps, 'config' | 'db' | 'log' | 'statusIndices'>,
  { client, request, session }: CodeRequest,
  now: number,
): Promise<string> {
  const { config, db, log } = deps;
  const { client_id, redirect_uri, nonce, code_challenge } = request;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const code = newSecret();
  const expires_at = now + config.CODE_SECONDS;
  const keep_until = expires_at + config.ACCESS_TOKEN_SECONDS;
  // When the last token that comes of it will have expired; and as long as the session can last, for a client that is told its end.
  const last_token =
    keep_until + (client.grant_types.includes('refresh_token') ? config.REFRESH_TOKEN_SECONDS : 0);
  const needed_until = isToldLogout(client) ? Math.max(last_token, session.absolute_expires_at) : last_token;
  const session_id = request.scope.includes('offline_access') ? '' : sid;
  const claims = isEmpty(request.claims) ? null : JSON.stringify(request.claims);

  const status = await deps.statusIndices.reserve(now);
  const ids = { id: newId(), user_id, client_id, sid, session_id };
  const row = { ...ids, created_at: now, expires_at: needed_until, ...status };
  const authorization = await db.transaction(async (trx) => {
    const found = await authorizations.upsert(trx, row, now);
    if (found === undefined) throw new OAuthError('login_required', 'the session has just ended');
    const authorization_id = found.id;
    await authorizationCodes.insert(trx, {
      ...{
        code_hash: digest(code),
        authorization_id,
        client_id,
        user_id,
        redirect_uri,
        claims,
        nonce,
        code_challenge,
      },
      ...{ auth_time, amr, acr, sid, expires_at, keep_until },
      scope: request.scope.join(' '),
      resource: request.resource.join(' '),
      consumed_at: null,
    });
    return found;
  });
  if (authorization.status_index !== status.status_index) deps.statusIndices.giveBack(status);
  log.info({ event: 'code_issued', client_id, user_id, sid }, 'code issued');
  return code;
}

function isEmpty({ userinfo, id_token }: AuthorizationRequest['claims']): boolean {
  return Object.keys(userinfo).length === 0 && Object.keys(id_token).length === 0;
}
