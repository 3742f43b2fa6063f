/**
 * Introspection endpoint, POST /introspect: what a token means, asked by its client or by the resource server it is for. It asks the
 * database each time, so a revocation is seen at once. RFC 7662; signed answers, RFC 9701.
 */
import type { Middleware } from 'koa';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { endOf } from '../grants/family.js';
import { noStoreJson, noStoreJwt } from '../http/answer.js';
import { clientCertificates } from '../http/client_certificate.js';
import { readMachineForm } from '../http/read.js';
import type { KeyRing } from '../keys/keys.js';
import { isPublic, wantsSignedIntrospection } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import { digest, equal } from '../secrets.js';
import * as clients from '../store/clients.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import * as resources from '../store/resources.js';
import { type AccessToken, readAccessToken } from '../tokens/access_token.js';
import { clientJwt } from '../tokens/client_jwt.js';
import { findHolder } from '../tokens/holder.js';
import { parseRefreshToken } from '../tokens/refresh_token.js';
import { isCurrent } from '../tokens/status.js';
import { sidFor, subjectOf } from '../tokens/subject.js';

type IntrospectionDeps = Pick<Deps, 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

const jwt_type = 'application/token-introspection+jwt';
const inactive = { active: false };

export function introspection(deps: IntrospectionDeps): Middleware {
  const certificateOf = clientCertificates(deps.config);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readMachineForm(ctx);
    const { authorization } = ctx.headers;
    const request = { authorization, params, certificate: certificateOf(ctx) };
    const client = await authenticateClient({ ...deps, now, endpoint: '/introspect' }, request);
    if (isPublic(client)) throw new OAuthError('invalid_client', 'introspection is for confidential clients');

    const ring = await deps.keys.get();
    const answer = await introspect(deps, ring, client, params.require('token'), now);
    ctx.vary('Accept');
    const signed = wantsSignedIntrospection(client) || ctx.accepts('application/json', jwt_type) === jwt_type;
    if (!signed) return noStoreJson(ctx, answer);
    const claims = { iss: deps.config.ISSUER, aud: client.client_id, iat: now, token_introspection: answer };
    noStoreJwt(ctx, await clientJwt({ ...deps, ring }, client, 'introspection', claims, now), jwt_type);
  };
}

/** What the caller may know of a token: all of an active one that is its own or meant for it, and nothing of any other (§2.2, §4). */
async function introspect(
  deps: IntrospectionDeps,
  ring: KeyRing,
  caller: clients.Client,
  token: string,
  now: number,
): Promise<object> {
  const access_token = readAccessToken(ring, deps.config, token, { now, allow_any_audience: true });
  if (access_token === undefined) return introspectRefreshToken(deps, ring, caller, token, now);
  const entitled =
    access_token.client_id === caller.client_id || (await actsForAudience(deps, caller, access_token));
  if (!entitled || !(await isActive(deps, ring, access_token))) return inactive;
  const { userinfo_claims, status, ...claims } = access_token.claims;
  return { active: true, token_type: 'Bearer', ...claims };
}

/** Whether a client was registered as the one that acts for a resource server the token is for. */
async function actsForAudience(
  { db }: IntrospectionDeps,
  { client_id }: clients.Client,
  { audience }: AccessToken,
): Promise<boolean> {
  for (const identifier of audience) {
    const resource = await resources.find(db, identifier);
    if (resource?.client_id === client_id) return true;
  }
  return false;
}

async function isActive(
  { caches, db }: IntrospectionDeps,
  ring: KeyRing,
  token: AccessToken,
): Promise<boolean> {
  if (token.authorization_id === '') {
    const client = await clients.find(db, token.client_id);
    return client !== undefined && client.disabled_at === null && isCurrent(token.status, client);
  }
  return (await findHolder({ caches, db, ring }, token)) !== undefined;
}

/** A refresh token is its client's own business. */
async function introspectRefreshToken(
  { config, db }: IntrospectionDeps,
  ring: KeyRing,
  caller: clients.Client,
  token: string,
  now: number,
): Promise<object> {
  const parsed = parseRefreshToken(ring, token);
  const family = parsed && (await refreshTokens.find(db, parsed.id));
  if (family === undefined || family.client_id !== caller.client_id) return inactive;
  if (endOf(family, now) !== undefined) return inactive;
  if (!equal(digest(token), family.token_hash)) return inactive; // replaced
  const sub = subjectOf(ring, caller, family.user_id);
  const sid = sidFor(ring, caller, family.sid);
  const { client_id, auth_time, acr, created_at: iat, expires_at: exp } = family;
  const scope = family.scope !== '' && { scope: family.scope };
  return { active: true, iss: config.ISSUER, client_id, ...scope, sub, sid, auth_time, acr, iat, exp };
}
