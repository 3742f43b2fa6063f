/** Reads the request object of a request, by value or by reference: decrypts it and verifies the client's signature. RFC 9101 §6. */
import { compactVerify, errors, type JWTVerifyGetKey } from 'jose';
import { verifyWithKeys } from '../client_auth/client_keys.js';
import type { Deps } from '../deps.js';
import { isJwe } from '../keys/jwe.js';
import { OutboundError } from '../limits/outbound.js';
import { jwsAlgs } from '../oauth/algorithms.js';
import { OAuthError } from '../oauth/errors.js';
import { type Params, parseJsonObject } from '../oauth/params.js';
import { profileOf } from '../oauth/profiles.js';
import { parametersOf, type VerifiedObject } from '../oauth/request_object.js';
import { fetchesRequestObjects, mustBeComplete } from '../oauth/request_transport.js';
import type { Client } from '../store/clients.js';

type ObjectDeps = Pick<Deps, 'clientKeys' | 'config' | 'keys' | 'requestUris'>;

export interface Bringing {
  readonly params: Params;
  readonly client: Client;
  /** Whether it was pushed: then nothing beside the object is part of the request (RFC 9126 §3). */
  readonly pushed: boolean;
  readonly now: number;
}

/** Whether a request is in a request object. */
export function bringsObject(params: Params): boolean {
  return params.has('request') || params.has('request_uri');
}

/** The parameters that count. Throws what is wrong with the object: `invalid_request_object`, `invalid_request_uri` and the like. */
export async function readRequestObject(deps: ObjectDeps, bringing: Bringing): Promise<Params> {
  const { params, client, pushed, now } = bringing;
  const jwt = await decrypted(deps, await objectOf(deps, bringing), now);
  const { client_id } = client;
  return parametersOf(await verified(deps, jwt, client, now), params, {
    client_id,
    issuer: deps.config.ISSUER,
    complete: pushed || mustBeComplete(client, deps.config),
    longest_seconds: profileOf(client).request_object_seconds,
    now,
  });
}

async function objectOf(deps: ObjectDeps, { params, client, now }: Bringing): Promise<string> {
  const request = params.get('request');
  const request_uri = params.get('request_uri');
  if (request !== undefined && request_uri !== undefined)
    throw new OAuthError('invalid_request', 'request and request_uri exclude each other');
  if (request !== undefined) return request;
  if (request_uri === undefined) throw new OAuthError('invalid_request', 'request is missing');
  if (!fetchesRequestObjects(deps.config))
    throw new OAuthError('request_uri_not_supported', 'request_uri is not supported');
  if (!isRegistered(client.request_uris, request_uri))
    throw new OAuthError('invalid_request_uri', 'request_uri is not registered for this client');
  try {
    return await deps.requestUris.fetch(request_uri, now);
  } catch (cause) {
    if (!(cause instanceof OutboundError)) throw cause;
    throw new OAuthError('invalid_request_uri', 'request_uri cannot be fetched', { cause });
  }
}

/** The fragment tells versions of one object apart. OpenID Connect Core §6.2. */
function isRegistered(request_uris: readonly string[], request_uri: string): boolean {
  const [address] = request_uri.split('#');
  return request_uri.length <= 512 && request_uris.some((one) => one.split('#')[0] === address);
}

/** A JWS as it is, a JWE's content. */
async function decrypted({ keys }: ObjectDeps, jwt: string, now: number): Promise<string> {
  if (!isJwe(jwt)) return jwt;
  const content = await (await keys.get()).decrypt(jwt, now);
  if (content !== undefined) return content;
  throw new OAuthError('invalid_request_object', 'the request object cannot be decrypted');
}

async function verified(
  { clientKeys }: ObjectDeps,
  jwt: string,
  client: Client,
  now: number,
): Promise<VerifiedObject> {
  try {
    const object = await verifyWithKeys(clientKeys, client, now, (keys) => verify(jwt, client, keys));
    if (object === undefined) throw new errors.JWKSNoMatchingKey('the client has no keys');
    return object;
  } catch (cause) {
    throw new OAuthError(
      'invalid_request_object',
      'the request object is not signed by this client with an algorithm that it may use',
      { cause },
    );
  }
}

async function verify(jwt: string, client: Client, keys: JWTVerifyGetKey): Promise<VerifiedObject> {
  const { request_object_signing_alg } = client;
  const { signing_algs } = profileOf(client);
  const allowed = jwsAlgs.filter((alg) => signing_algs?.includes(alg) !== false);
  const algorithms = request_object_signing_alg === undefined ? allowed : [request_object_signing_alg];
  const { payload, protectedHeader } = await compactVerify(jwt, keys, { algorithms });
  // jose understands b64, which no JWT may have (RFC 7797 §7).
  if ('crit' in protectedHeader) throw new errors.JWTInvalid('its header has crit');
  const claims = parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  return { typ: protectedHeader.typ, claims };
}
