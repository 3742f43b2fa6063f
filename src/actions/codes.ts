/** Writes down what a request led to: the authorization and, where its response type has one, the code, in one transaction. RFC 6749 §4.1.2; decisions 7. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { lastTokenExpiresAt } from '../grants/family.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { OAuthError } from '../oauth/errors.js';
import { responseTypes } from '../oauth/response_types.js';
import { digest, newSecret } from '../secrets.js';
import * as authorizationCodes from '../store/authorization_codes.js';
import type { UpsertedAuthorization } from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import type { Trx } from '../store/db.js';
import * as pushedRequests from '../store/pushed_requests.js';
import type { LiveSession } from '../store/sessions.js';
import { withAuthorization } from './authorizations.js';

/** A request that was agreed to, and in which session. */
export interface Approved {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly session: LiveSession;
}

interface AuthorizedRequest {
  /** 256 random bits; null where the response type has no code. */
  readonly code: string | null;
  readonly authorization: UpsertedAuthorization;
}

/** The code is stored, as a digest, when this returns. Throws as withAuthorization, and `invalid_request_uri`. */
export async function authorizeRequest(
  deps: Pick<Deps, 'config' | 'db' | 'log' | 'statusIndices'>,
  approved: Approved,
  now: number,
): Promise<AuthorizedRequest> {
  const { config, log } = deps;
  const { client, request, session } = approved;
  const { client_id } = client;
  const code = responseTypes[request.response_type].code ? newSecret() : null;
  const authorized = {
    ...{ client, session, offline: request.scope.includes('offline_access') },
    last_token_expires_at:
      code === null
        ? now + Math.max(config.ACCESS_TOKEN_SECONDS, config.ID_TOKEN_SECONDS)
        : lastTokenExpiresAt(client, config, now + config.CODE_SECONDS),
  };
  const authorization = await withAuthorization(deps, authorized, now, async (trx, found) => {
    if (request.pushed !== null) await complete(trx, request.pushed, client_id, now);
    if (code !== null) await authorizationCodes.insert(trx, newCode(config, approved, found.id, code, now));
    return found;
  });
  if (code !== null)
    log.info({ event: 'code_issued', client_id, user_id: session.user_id, sid: session.id }, 'code issued');
  return { code, authorization };
}

function newCode(
  config: Pick<Config, 'ACCESS_TOKEN_SECONDS' | 'CODE_SECONDS'>,
  { request, session }: Approved,
  authorization_id: string,
  code: string,
  now: number,
): authorizationCodes.AuthorizationCodeRow {
  const { client_id, redirect_uri, nonce, code_challenge } = request;
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const expires_at = now + config.CODE_SECONDS;
  return {
    ...{ code_hash: digest(code), authorization_id, client_id, user_id, redirect_uri, nonce, code_challenge },
    ...{ auth_time, amr, acr, sid, expires_at, keep_until: expires_at + config.ACCESS_TOKEN_SECONDS },
    claims: isEmpty(request.claims) ? null : JSON.stringify(request.claims),
    scope: request.scope.join(' '),
    ignored_scope: request.ignored_scope.join(' '),
    resource: request.resource.join(' '),
    consumed_at: null,
  };
}

/** The same for a request that nothing is given out for. Throws `invalid_request_uri`. */
export async function completeRequest(
  { db }: Pick<Deps, 'db'>,
  { pushed, client_id }: AuthorizationRequest,
  now: number,
): Promise<void> {
  if (pushed !== null) await db.transaction((trx) => complete(trx, pushed, client_id, now));
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
