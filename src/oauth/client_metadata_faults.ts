/** What is wrong with client metadata whose members are each of the right type: addresses, and members that do not go together. */
import { isColour, isReadable, readable } from '../branding/colour.js';
import { isMacAlg, jwsAlgs, keyKindOf, macAlgs } from './algorithms.js';
import { certificateFaults } from './certificate_metadata.js';
import type { ClientMetadata } from './client_metadata.js';
import {
  redirectHosts,
  responseAlgorithms,
  responsePurposes,
  responseTypesOf,
  usesSignInApi,
} from './client_rules.js';
import { encryptionKeyOf, type PublishedJwk } from './encryption_key.js';
import { OAuthError } from './errors.js';
import { profileOf } from './profiles.js';
import { assertRedirectUri, isLoopbackHost } from './redirect_uri.js';
import { isResource } from './resource.js';
import { isFrontChannel, responseTypes } from './response_types.js';
import { parseScope } from './scope.js';
import { translationsOf } from './translations.js';

export interface FaultOptions {
  readonly allow_loopback_http: boolean;
  /** Hosts that this server may ask over http. */
  readonly http_hosts?: readonly string[];
  /** The methods of client authentication that work here; all where it is left out. */
  readonly token_endpoint_auth_methods?: readonly string[];
  /** The response types that this server has switched on; `code` alone where it is not said. */
  readonly response_types?: readonly string[];
}

/** Every fault, as a sentence that begins with its member. */
export function* metadataFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  yield* profileFaults(metadata);
  yield* scopeFaults(metadata);
  yield* uriFaults(metadata, options);
  yield* translationFaults(metadata, options);
  yield* logoutFaults(metadata, options);
  yield* grantFaults(metadata);
  yield* responseTypeFaults(metadata, options);
  yield* keyFaults(metadata);
  yield* methodFaults(metadata, options);
  yield* certificateFaults(metadata);
  yield* assertionFaults(metadata);
  yield* responseFaults(metadata);
  yield* subjectFaults(metadata);
  yield* requestFaults(metadata, options);
  yield* colourFaults(metadata);
}

function* profileFaults(metadata: ClientMetadata): Generator<string> {
  const { security_profile, sender_constrained, token_endpoint_auth_methods, signing_algs } =
    profileOf(metadata);
  if (sender_constrained)
    yield `security_profile: ${security_profile} demands tokens that are bound to a key, which this server does not issue`;
  if (token_endpoint_auth_methods?.includes(metadata.token_endpoint_auth_method) === false)
    yield `token_endpoint_auth_method: ${security_profile} allows ${token_endpoint_auth_methods.join(', ')}`;
  const { token_endpoint_auth_signing_alg, id_token_signed_response_alg } = metadata;
  const { userinfo_signed_response_alg, introspection_signed_response_alg } = metadata;
  const { authorization_signed_response_alg } = metadata;
  const algs = {
    ...{ token_endpoint_auth_signing_alg, id_token_signed_response_alg },
    ...{ userinfo_signed_response_alg, introspection_signed_response_alg },
    ...{ authorization_signed_response_alg },
  };
  for (const [member, alg] of Object.entries(algs)) {
    if (alg !== undefined && signing_algs?.includes(alg) === false)
      yield `${member}: ${security_profile} allows ${signing_algs.join(', ')}`;
  }
}

function* colourFaults({ brand_color }: ClientMetadata): Generator<string> {
  if (brand_color === undefined) return;
  if (!isColour(brand_color)) yield 'brand_color: must be a colour as #rrggbb';
  else if (!isReadable(brand_color, 'light'))
    yield `brand_color: text in it could not be read on light pages; ${readable(brand_color, 'light')} could be`;
}

function* scopeFaults(metadata: ClientMetadata): Generator<string> {
  try {
    parseScope(metadata.scope);
  } catch (error) {
    yield error instanceof OAuthError ? error.description : String(error); // all of them are told at once
  }
}

const webUrls = [
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'jwks_uri',
  'sector_identifier_uri',
] as const;

function* uriFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const native = metadata.application_type === 'native';
  for (const redirect_uri of [...metadata.redirect_uris, ...metadata.post_logout_redirect_uris]) {
    try {
      assertRedirectUri(redirect_uri, { ...options, native });
    } catch (error) {
      yield error instanceof OAuthError ? error.description : String(error);
    }
  }
  for (const member of webUrls) {
    const value = metadata[member];
    if (value !== undefined && !isWebUrl(value, options, fetched.has(member)))
      yield `${member}: must be an https URL`;
  }
  const { initiate_login_uri } = metadata;
  if (
    initiate_login_uri !== undefined &&
    (!isWebUrl(initiate_login_uri, options) || initiate_login_uri.includes('#'))
  )
    yield 'initiate_login_uri: must be an https URL without a fragment';
  for (const origin of metadata.allowed_origins) {
    if (!isWebUrl(origin, options) || new URL(origin).origin !== origin) {
      yield `allowed_origins: ${origin} is not an origin like https://app.example.com`;
    }
  }
  if (metadata.default_resource !== undefined && !isResource(metadata.default_resource)) {
    yield 'default_resource: must be an absolute URI without a fragment';
  }
}

function* translationFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  for (const { member, name, value } of translationsOf(metadata)) {
    if (member === 'client_name' && (value.trim() === '' || value.length > 200))
      yield `${name}: must be 1 to 200 characters long`;
    if (member !== 'client_name' && !isWebUrl(value, options)) yield `${name}: must be an https URL`;
  }
}

function* logoutFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const { backchannel_logout_uri, frontchannel_logout_uri } = metadata;
  for (const [member, value] of Object.entries({ backchannel_logout_uri, frontchannel_logout_uri })) {
    if (value !== undefined && (!isWebUrl(value, options, fetched.has(member)) || value.includes('#')))
      yield `${member}: must be an https URL without a fragment`;
  }
  if (frontchannel_logout_uri === undefined || !URL.canParse(frontchannel_logout_uri)) return;
  const { origin } = new URL(frontchannel_logout_uri);
  // It goes into a Content-Security-Policy, where some characters that a host may have mean something.
  if (!/^https?:\/\/[\w.:[\]-]+$/.test(origin))
    yield 'frontchannel_logout_uri: its host has an unusual character';
  // Else anybody's page could be framed by ours. Front-Channel Logout §2.
  if (!metadata.redirect_uris.some((text) => URL.canParse(text) && new URL(text).origin === origin))
    yield 'frontchannel_logout_uri: must have the scheme, host and port of a redirect URI';
}

/** Addresses that this server asks, and no browser does. (sector_identifier_uri is https always: Core §8.1.) */
const fetched: ReadonlySet<string> = new Set(['logo_uri', 'jwks_uri', 'backchannel_logout_uri']);

function isWebUrl(text: string, options: FaultOptions, asked_by_us = false): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const http =
    options.allow_loopback_http || (asked_by_us && options.http_hosts?.includes(hostname) === true);
  const scheme = protocol === 'https:' || (protocol === 'http:' && http);
  return scheme && username === '' && password === '';
}

function* grantFaults(metadata: ClientMetadata): Generator<string> {
  const grants: readonly string[] = metadata.grant_types;
  const code = grants.includes('authorization_code');
  if (code && metadata.redirect_uris.length === 0)
    yield 'redirect_uris: the authorization_code grant needs at least one';
  if (grants.includes('refresh_token') && !code && !usesSignInApi(metadata))
    yield 'grant_types: refresh_token needs authorization_code beside it';
  if (grants.includes('client_credentials') && metadata.token_endpoint_auth_method === 'none') {
    yield 'grant_types: client_credentials is for confidential clients alone (RFC 6749 §4.4)';
  }
  if (metadata.token_endpoint_auth_method === 'none' && !metadata.require_pkce) {
    yield 'require_pkce: a public client cannot do without PKCE';
  }
}

function* methodFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const method = metadata.token_endpoint_auth_method;
  if (options.token_endpoint_auth_methods?.includes(method) === false)
    yield `token_endpoint_auth_method: ${method} needs the settings for certificates of clients, which this server does not have`;
}

/** Response types and grants belong together: code with authorization_code, tokens with implicit. OpenID Connect Registration §2. */
function* responseTypeFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const types = responseTypesOf(metadata);
  const grants: readonly string[] = metadata.grant_types;
  const { security_profile, response_types: allowed } = profileOf(metadata);
  for (const type of types) {
    if (!(options.response_types ?? ['code']).includes(type))
      yield `response_types: ${type} is off here; SALLYPORT_RESPONSE_TYPES can switch it on`;
    if (allowed?.includes(type) === false)
      yield `response_types: ${security_profile} allows ${allowed.join(', ')}`;
  }
  if (types.some((type) => responseTypes[type].code) !== grants.includes('authorization_code'))
    yield 'response_types: code and the authorization_code grant go together';
  if (types.some(isFrontChannel) !== grants.includes('implicit'))
    yield 'response_types: those with id_token or token and the implicit grant go together';
  if (types.length > 0 && metadata.redirect_uris.length === 0)
    yield 'redirect_uris: an authorization response needs at least one';
  if (grants.includes('implicit')) yield* implicitFaults(metadata, options);
}

/** Tokens in an address are for web applications on https, and not for this machine. OpenID Connect Registration §2. */
function* implicitFaults(
  { application_type, redirect_uris }: ClientMetadata,
  { allow_loopback_http }: FaultOptions,
): Generator<string> {
  if (application_type !== 'web' || allow_loopback_http) return;
  for (const redirect_uri of redirect_uris)
    if (URL.canParse(redirect_uri) && isLoopbackHost(new URL(redirect_uri).hostname))
      yield `redirect_uris: ${redirect_uri} is on this machine, where the implicit grant sends no tokens`;
}

function* keyFaults(metadata: ClientMetadata): Generator<string> {
  if (metadata.jwks !== undefined && metadata.jwks_uri !== undefined)
    yield 'jwks: either jwks or jwks_uri, not both';
  const keys = metadata.jwks !== undefined || metadata.jwks_uri !== undefined;
  const method = metadata.token_endpoint_auth_method;
  if ((method === 'private_key_jwt' || method === 'self_signed_tls_client_auth') && !keys) {
    yield `jwks: ${method} needs the public keys, as jwks or jwks_uri`;
  }
  const published = metadata.jwks?.keys ?? [];
  if (
    method === 'private_key_jwt' &&
    published.length > 0 &&
    !published.some((key) => maySign(key, metadata))
  )
    yield 'jwks: holds no key to verify what private_key_jwt is signed with';
  const secret = published.some((key) => 'd' in key || 'k' in key || 'p' in key);
  if (secret) yield 'jwks: holds a private or symmetric key; register public keys only';
}

/** Whether a key may be one that a client signs its assertions with. RFC 7517 §4.2, §4.4. */
function maySign(key: PublishedJwk, { token_endpoint_auth_signing_alg: wanted }: ClientMetadata): boolean {
  if (key.use !== undefined && key.use !== 'sig') return false;
  return jwsAlgs.some(
    (alg) =>
      (wanted === undefined || wanted === alg) &&
      (key.alg === undefined || key.alg === alg) &&
      keyKindOf(alg).kty === key.kty,
  );
}

/** A JWT that a client authenticates with is signed with its key or with its secret, never the one for the other. */
function* assertionFaults(metadata: ClientMetadata): Generator<string> {
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = metadata;
  if (alg === undefined) return;
  if (method === 'private_key_jwt' && isMacAlg(alg))
    yield 'token_endpoint_auth_signing_alg: private_key_jwt is signed with a key, not with a secret';
  if (method === 'client_secret_jwt' && !isMacAlg(alg))
    yield `token_endpoint_auth_signing_alg: client_secret_jwt is signed with one of ${macAlgs.join(', ')}`;
}

/** What is encrypted for a client needs a key of it. */
function* responseFaults(metadata: ClientMetadata): Generator<string> {
  const { jwks, jwks_uri } = metadata;
  for (const purpose of responsePurposes) {
    const member = `${purpose}_encrypted_response`;
    const { encrypted } = responseAlgorithms(metadata, purpose);
    if (encrypted === undefined) {
      if (Object.entries(metadata).some(([name, value]) => name === `${member}_enc` && value !== undefined))
        yield `${member}_enc: needs ${member}_alg beside it`;
    } else if (jwks === undefined && jwks_uri === undefined) {
      yield `${member}_alg: needs a public key of the client, as jwks or jwks_uri`;
    } else if (jwks !== undefined && encryptionKeyOf(jwks.keys, encrypted.alg) === undefined) {
      yield `${member}_alg: no key of jwks is one that ${encrypted.alg} can encrypt to`;
    }
  }
}

/** OpenID Connect Core §8.1: what a person is called differs from sector to sector, so a client must be in one. */
function* subjectFaults(metadata: ClientMetadata): Generator<string> {
  if (metadata.subject_type !== 'pairwise' || metadata.sector_identifier_uri !== undefined) return;
  if (redirectHosts(metadata).length !== 1)
    yield 'sector_identifier_uri: subject_type pairwise needs it, unless all redirect URIs are of one host';
}

/** What is said of request objects. OpenID Connect Registration §2; RFC 9101 §10.5. */
function* requestFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const { request_object_signing_alg: alg, request_object_encryption_alg, jwks, jwks_uri } = metadata;
  if (
    (alg !== undefined || metadata.require_signed_request_object) &&
    jwks === undefined &&
    jwks_uri === undefined
  )
    yield 'jwks: signed request objects need the public keys, as jwks or jwks_uri';
  const { security_profile, signing_algs } = profileOf(metadata);
  if (alg !== undefined && signing_algs?.includes(alg) === false)
    yield `request_object_signing_alg: ${security_profile} allows ${signing_algs.join(', ')}`;
  if (metadata.request_object_encryption_enc !== undefined && request_object_encryption_alg === undefined)
    yield 'request_object_encryption_enc: needs request_object_encryption_alg beside it';
  for (const request_uri of metadata.request_uris)
    if (!isWebUrl(request_uri, options)) yield `request_uris: ${request_uri} is not an https URL`;
}
