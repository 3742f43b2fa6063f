/** What an authorization response gives out, by its response type. OAuth 2.0 Multiple Response Type Encoding Practices §3–§5. */
import type { Deps } from '../deps.js';
import { isJwtMode } from '../oauth/response_mode.js';
import { responseTypes } from '../oauth/response_types.js';
import { audienceOf } from '../tokens/audience.js';
import { assertReceives, type ClientJwtPurpose } from '../tokens/client_jwt.js';
import { issueResponseTokens } from '../tokens/front_channel.js';
import type { Granted } from '../tokens/granted.js';
import { type Approved, authorizeRequest, completeRequest } from './codes.js';

type ResponseDeps = Pick<Deps, 'caches' | 'clientKeys' | 'config' | 'db' | 'keys' | 'log' | 'statusIndices'>;

/**
 * The parameters of a successful response, all stored that has to be. Throws as authorizeRequest, and `invalid_target` where a resource
 * was removed.
 */
export async function giveOut(
  deps: ResponseDeps,
  approved: Approved,
  now: number,
): Promise<Readonly<Record<string, string>>> {
  const { response_type } = approved.request;
  const type = responseTypes[response_type];
  if (response_type === 'none') {
    await completeRequest(deps, approved.request, now);
    return {};
  }
  for (const purpose of encryptedParts(approved)) await assertReceives(deps, approved.client, purpose, now);
  const access = type.token ? await accessOf(deps, approved) : { audience: [], scope: [] };
  const { code, authorization } = await authorizeRequest(deps, approved, now);
  const parameters = code === null ? {} : { code };
  if (!type.token && !type.id_token) return parameters;

  const granted = { ...access, user: grantedUser(approved, authorization), refresh_token: null };
  const ring = await deps.keys.get();
  const { client, request } = approved;
  const beside = { type, granted, code, state: request.state };
  const tokens = await issueResponseTokens({ ...deps, ring }, client, beside, now);
  const { id: sid, user_id } = approved.session;
  deps.log.info(
    { event: 'tokens_issued', grant_type: 'implicit', client_id: client.client_id, user_id, sid },
    'tokens issued',
  );
  return { ...parameters, ...tokens };
}

/** What will be encrypted to a key of the client, which may have to be fetched: that is seen to before anything is used up. */
function encryptedParts({ client, request }: Approved): readonly ClientJwtPurpose[] {
  const { id_token_encrypted_response_alg, authorization_encrypted_response_alg } = client;
  const id_token =
    id_token_encrypted_response_alg !== undefined && responseTypes[request.response_type].id_token;
  const all = authorization_encrypted_response_alg !== undefined && isJwtMode(request.response_mode);
  return [...(id_token ? (['id_token'] as const) : []), ...(all ? (['authorization'] as const) : [])];
}

async function accessOf(
  { caches, config }: ResponseDeps,
  { client, request }: Approved,
): Promise<Pick<Granted, 'audience' | 'scope'>> {
  const { scope, resource: granted } = request;
  const resources = await caches.resources();
  const { default_resource } = client;
  return audienceOf({ issuer: config.ISSUER, resources, scope, granted, requested: [], default_resource });
}

function grantedUser(
  { request, session }: Approved,
  {
    id: authorization_id,
    status_list,
    status_index,
  }: Awaited<ReturnType<typeof authorizeRequest>>['authorization'],
): NonNullable<Granted['user']> {
  const { user_id, id: sid, auth_time, amr, acr } = session;
  const { scope, claims, nonce } = request;
  return {
    ...{ user_id, authorization_id, sid, auth_time, acr, scope, claims, nonce },
    amr: amr.split(' '),
    status: { status_list, status_index },
  };
}
