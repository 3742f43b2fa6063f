/** Gives out an authorization code: the authorization and the code, in one transaction. RFC 6749 §4.1.2; decisions 7. */
import type { Deps } from '../deps.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { OAuthError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as authorizationCodes from '../store/authorization_codes.js';
import * as authorizations from '../store/authorizations.js';
import * as sessions from '../store/sessions.js';

/**
 * The code: 256 random bits. It is stored, as a digest, when this returns. Throws `login_required` where the session ended at this
 * very moment: nothing is given out for it any more.
 */
export async function issueCode(
  deps: Pick<Deps, 'config' | 'db' | 'log'>,
  request: AuthorizationRequest,
  session: sessions.LiveSession,
  now: number,
): Promise<string> {
  const { config, db, log } = deps;
  const { client_id, redirect_uri, nonce, code_challenge } = request;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const code = newSecret();
  const expires_at = now + config.CODE_SECONDS;
  const keep_until = expires_at + config.ACCESS_TOKEN_SECONDS;
  const session_id = request.scope.includes('offline_access') ? '' : sid;
  const claims = isEmpty(request.claims) ? null : JSON.stringify(request.claims);

  await db.transaction(async (trx) => {
    if (!(await sessions.lock(trx, sid, now)))
      throw new OAuthError('login_required', 'the session has just ended');
    const fresh = {
      id: newId(),
      user_id,
      client_id,
      sid,
      session_id,
      created_at: now,
      expires_at: keep_until,
      revoked_at: null,
    };
    const authorization_id = await authorizations.upsert(trx, fresh);
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
  });
  log.info({ event: 'code_issued', client_id, user_id, sid }, 'code issued');
  return code;
}

function isEmpty({ userinfo, id_token }: AuthorizationRequest['claims']): boolean {
  return Object.keys(userinfo).length === 0 && Object.keys(id_token).length === 0;
}
