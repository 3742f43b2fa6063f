/** Gives out an authorization code: the authorization and the code, in one transaction. RFC 6749 §4.1.2; decisions 7. */
import type { Deps } from '../deps.js';
import { lastTokenExpiresAt } from '../grants/family.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { OAuthError } from '../oauth/errors.js';
import { digest, newSecret } from '../secrets.js';
import * as authorizationCodes from '../store/authorization_codes.js';
import type { Client } from '../store/clients.js';
import type { Trx } from '../store/db.js';
import * as pushedRequests from '../store/pushed_requests.js';
import type { LiveSession } from '../store/sessions.js';
import { withAuthorization } from './authorizations.js';

interface CodeRequest {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly session: LiveSession;
}

/** The code: 256 random bits. It is stored, as a digest, when this returns. Throws as withAuthorization, and `invalid_request_uri`. */
export async function issueCode(
  deps: Pick<Deps, 'config' | 'db' | 'log' | 'statusIndices'>,
  { client, request, session }: CodeRequest,
  now: number,
): Promise<string> {
  const { config, log } = deps;
  const { client_id, redirect_uri, nonce, code_challenge } = request;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const code = newSecret();
  const expires_at = now + config.CODE_SECONDS;
  const keep_until = expires_at + config.ACCESS_TOKEN_SECONDS;
  const authorized = {
    ...{ client, session, offline: request.scope.includes('offline_access') },
    last_token_expires_at: lastTokenExpiresAt(client, config, expires_at),
  };
  await withAuthorization(deps, authorized, now, async (trx, { id: authorization_id }) => {
    if (request.pushed !== null) await complete(trx, request.pushed, client_id, now);
    await authorizationCodes.insert(trx, {
      ...{
        code_hash: digest(code),
        authorization_id,
        client_id,
        user_id,
        redirect_uri,
        nonce,
        code_challenge,
      },
      ...{ auth_time, amr, acr, sid, expires_at, keep_until },
      claims: isEmpty(request.claims) ? null : JSON.stringify(request.claims),
      scope: request.scope.join(' '),
      resource: request.resource.join(' '),
      consumed_at: null,
    });
  });
  log.info({ event: 'code_issued', client_id, user_id, sid }, 'code issued');
  return code;
}

/** A pushed request is completed once: not when its page is loaded, but when something is given out for it. RFC 9126 §7.3. */
async function complete(
  trx: Trx,
  { reference_hash, until }: NonNullable<AuthorizationRequest['pushed']>,
  client_id: string,
  now: number,
): Promise<void> {
  if (await pushedRequests.consume(trx, { reference_hash, client_id, expires_at: until }, now)) return;
  throw new OAuthError('invalid_request_uri', 'request_uri was used before');
}

function isEmpty({ userinfo, id_token }: AuthorizationRequest['claims']): boolean {
  return Object.keys(userinfo).length === 0 && Object.keys(id_token).length === 0;
}
