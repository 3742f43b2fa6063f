/** A server with some features on, what its discovery document says, and an application that asks for what is said there. */
import { CompactEncrypt, createLocalJWKSet, decodeJwt, importJWK, type JSONWebKeySet } from 'jose';
import { ensureKeysFor } from '../../src/actions/keys.js';
import type { Environment } from '../../src/config.js';
import type { JweAlg, JwsAlg } from '../../src/oauth/algorithms.js';
import { isFrontChannel } from '../../src/oauth/response_types.js';
import { type ClientKey, newClientKey } from './assertion.js';
import { formOf, type Page } from './browser.js';
import { goodRequest, signIn } from './flow.js';
import {
  basic,
  type Form,
  formBody,
  type JsonAnswer,
  post,
  redirect_uri,
  startIdp,
  type TestIdp,
} from './idp.js';
import { authority } from './mtls.js';
import { replies } from './outbound.js';
import { requestObject } from './request_object.js';

export type Advertised = Awaited<ReturnType<typeof startAdvertised>>;
/** What came back, however it came: the parameters of a response, or the page that is shown. */
export type Outcome = Readonly<Record<string, unknown>>;

/** What of the tables a run tries: all of them each time would be dear. */
export interface Chosen {
  readonly alg: JwsAlg;
  readonly jwe: { readonly alg: JweAlg; readonly enc: string };
  readonly subject_type: string;
}

export const request_uri = 'https://shop.example/request.jwt';

const clientKeys = new Map<string, Promise<ClientKey>>();

/** The application's key for an algorithm: made once, since RSA takes its time. */
export function clientKey(alg: string): Promise<ClientKey> {
  const made = clientKeys.get(alg) ?? newClientKey(alg);
  clientKeys.set(alg, made);
  return made;
}

/** Starts it, and registers an application for all that is advertised, with one algorithm for all that is signed. */
export async function startAdvertised(settings: Environment, { alg, jwe, subject_type }: Chosen) {
  const fetched = replies();
  const idp = await startIdp({
    settings: { CLIENT_REGISTRATIONS_PER_SOURCE: '1000', ...settings },
    files: { 'ca.pem': authority.pem },
    substitutes: { outbound: { ...fetched.outbound, fetch: (wanted) => asRequestObject(fetched, wanted) } },
  });
  const user = await idp.addUser();
  await ensureKeysFor(idp.deps, [jwe.alg], idp.now()); // a job does so, which no test starts
  await idp.addResource('https://api.example', 'read', 'write');
  const document = await readDocument(idp);
  const at = (url: string) => idp.url + new URL(url).pathname;
  const key = await clientKey(alg);
  const grants: string[] = document.grant_types_supported;
  const { client, client_secret } = await idp.addClient(
    {
      grant_types: grants,
      response_types: document.response_types_supported,
      scope: document.scopes_supported.join(' '),
      jwks: { keys: [key.jwk] },
      request_uris: [request_uri],
      id_token_signed_response_alg: alg,
      userinfo_signed_response_alg: alg,
      introspection_signed_response_alg: alg,
      authorization_signed_response_alg: alg,
      subject_type,
    },
    'app',
  );
  const { keys } = (await getJson(at(document.jwks_uri))) as JSONWebKeySet;
  const browser = idp.browser();
  await signIn(browser, await browser.get(`${idp.config.base}/login`));
  return {
    ...{ idp, user, document, at, key, browser, keys, client },
    /** The Authorization header of the application. */
    authorization: basic(client.client_id, client_secret),
    keySet: createLocalJWKSet({ keys }),
    /** Lets the server fetch this from request_uri. */
    serve: (jwt: string) => fetched.set(request_uri, Buffer.from(jwt)),
  };
}

async function asRequestObject({ outbound }: ReturnType<typeof replies>, wanted: { readonly url: string }) {
  const { body } = await outbound.fetch({ accept: '*/*', max_bytes: 100_000, ...wanted });
  return { body, content_type: 'application/oauth-authz-req+jwt' };
}

async function getJson(url: string): Promise<JsonAnswer['body']> {
  return (await fetch(url)).json();
}

const readDocument = (idp: TestIdp) =>
  getJson(`${idp.url}${idp.config.base}/.well-known/openid-configuration`);

/** A request as an object that the application signed; encrypted to a key of the server's where `to` names algorithms. */
export async function objectFor(
  { idp, key, keys, client: { client_id } }: Advertised,
  claims: Readonly<Record<string, unknown>> = {},
  to?: { readonly alg: string; readonly enc: string },
): Promise<string> {
  const jws = await requestObject(idp, client_id, key, { claims });
  if (to === undefined) return jws;
  const jwk = keys.find(({ alg, use }) => alg === to.alg && use === 'enc');
  if (jwk === undefined) throw new Error(`no key of jwks_uri is for ${to.alg}`);
  return new CompactEncrypt(Buffer.from(jws))
    .setProtectedHeader({ ...to, kid: jwk.kid ?? '', cty: 'oauth-authz-req+jwt' })
    .encrypt(await importJWK(jwk));
}

/** An authorization request with these changes, signed and pushed where the document says that it must be. */
export async function ask(server: Advertised, changes: Form = {}): Promise<Outcome> {
  const request = { nonce: 'n1', ...changes };
  const { document } = server;
  if (document.require_signed_request_object)
    return send(server, { request: await objectFor(server, request) });
  return send(server, { ...goodRequest, ...request });
}

/** The same with just these parameters, pushed where it must be. */
export async function send(server: Advertised, params: Form): Promise<Outcome> {
  const { document } = server;
  if (!document.require_pushed_authorization_requests) return visit(server, params);
  const { status, body } = await push(server, params);
  return status === 201 ? visit(server, { request_uri: body.request_uri }) : body;
}

export function push({ document, at, authorization }: Advertised, params: Form): Promise<JsonAnswer> {
  return post(at(document.pushed_authorization_request_endpoint), params, authorization);
}

/** The browser brings these parameters, whatever the document says. */
export async function visit(
  { document, at, browser, idp, client: { client_id } }: Advertised,
  params: Form,
): Promise<Outcome> {
  const { pathname } = new URL(at(document.authorization_endpoint));
  const page = await browser.get(`${pathname}?${formBody({ client_id, ...params })}`);
  return outcomeOf(page, idp);
}

function outcomeOf(page: Page, idp: TestIdp): Outcome {
  const location = page.headers.get('location');
  if (location?.startsWith(redirect_uri)) {
    const { searchParams, hash } = new URL(location);
    return opened(Object.fromEntries([...searchParams, ...new URLSearchParams(hash.slice(1))]));
  }
  const error_id = /id="error-id"[^>]*>([\w-]{22})</.exec(page.html)?.[1];
  if (error_id !== undefined) {
    const logged = idp.logged.find(({ fields }) => 'error_id' in fields && fields.error_id === error_id);
    return { status: page.status, ...logged?.fields };
  }
  const { action, hidden } = formOf(page.html);
  return action === redirect_uri ? opened(hidden) : { page: action.slice(idp.config.base.length) };
}

/** With the parameters of a JWT (`response`) beside those outside. */
function opened(parameters: Readonly<Record<string, string>>): Outcome {
  const { response } = parameters;
  return response === undefined ? parameters : { ...decodeJwt(response), ...parameters };
}

/** Whether some of these response types give out tokens through the browser. */
export const hasFrontChannel = (types: readonly string[]) => types.some(isFrontChannel);
