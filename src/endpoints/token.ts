/**
 * Token endpoint, POST /token. RFC 6749 §3.2; OpenID Connect Core §3.1.3.
 *
 * Every grant passes the same five steps in the same order: read, authenticate, choose, exchange, issue. A grant decides what the
 * tokens say and writes it down; only this file hands tokens out.
 */
import type { Middleware } from 'koa';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import type { Grant, GrantRequest } from '../grants/grant.js';
import * as grants from '../grants/index.js';
import { noStoreJson } from '../http/answer.js';
import { clientCertificates } from '../http/client_certificate.js';
import { readMachineForm } from '../http/read.js';
import { readResources } from '../http/resources.js';
import { OAuthError } from '../oauth/errors.js';
import type { Client } from '../store/clients.js';
import { assertReceives } from '../tokens/client_jwt.js';
import type { Granted } from '../tokens/granted.js';
import { issueTokens } from '../tokens/issue.js';

type TokenDeps = Pick<Deps, 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

const grantsByType: ReadonlyMap<string, Grant> = new Map(
  Object.values(grants).map((grant) => [grant.grant_type, grant]),
);

export function token(deps: TokenDeps): Middleware {
  const certificateOf = clientCertificates(deps.config);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readMachineForm(ctx);
    const client = await authenticateClient(
      { ...deps, now },
      { authorization: ctx.headers.authorization, params, certificate: certificateOf(ctx) },
    );
    if (client.last_used_at !== null) await deps.caches.used(client, now);
    const grant = chooseGrant(client, params.require('grant_type'));

    const resources = await readResources(deps, params);
    const ring = await deps.keys.get();
    const { config } = deps;
    if (client.id_token_encrypted_response_alg !== undefined)
      await assertReceives(deps, client, 'id_token', now);
    const request = { ...resources, now, client, params, ring, config };
    const issued = await exchange(deps, grant, request);
    if (issued instanceof OAuthError) throw issued; // returned by the grant, so its writes are kept

    noStoreJson(ctx, await issued.response);
    const { user_id, sid } = issued.granted.user ?? {};
    deps.log.info(
      { event: 'tokens_issued', grant_type: grant.grant_type, client_id: client.client_id, user_id, sid },
      'tokens issued',
    );
  };
}

/**
 * Nothing slow in the transaction: no password hash, no call to another server. The signatures are begun in it, to be made while it
 * is committed, and awaited after it: tokens of a transaction that fails are never seen.
 */
async function exchange(deps: TokenDeps, grant: Grant, request: GrantRequest) {
  return grant.stores
    ? deps.db.transaction(async (trx) => beginToIssue(deps, request, await grant.exchange(trx, request)))
    : beginToIssue(deps, request, grant.exchange(request));
}

function beginToIssue(deps: TokenDeps, { client, ring, now }: GrantRequest, outcome: Granted | OAuthError) {
  if (outcome instanceof OAuthError) return outcome;
  const response = issueTokens({ ...deps, ring }, client, outcome, now);
  response.catch(() => undefined); // thrown where it is awaited; nobody does where the transaction failed
  return { granted: outcome, response };
}

/** Refuses a grant_type this server does not have, or this client may not use. RFC 6749 §5.2. */
function chooseGrant(client: Client, grant_type: string): Grant {
  const grant = grantsByType.get(grant_type);
  if (grant === undefined)
    throw new OAuthError('unsupported_grant_type', `grant_type ${grant_type} is not supported`);
  const allowed: readonly string[] = client.grant_types;
  if (!allowed.includes(grant_type))
    throw new OAuthError('unauthorized_client', `this client may not use grant_type ${grant_type}`);
  return grant;
}
