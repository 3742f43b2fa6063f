/** What is wrong with client metadata whose members are each of the right type: addresses, and members that do not go together. */
import type { ClientMetadata } from './client_metadata.js';
import { usesSignInApi } from './client_rules.js';
import { OAuthError } from './errors.js';
import { profileOf } from './profiles.js';
import { assertRedirectUri } from './redirect_uri.js';
import { isResource } from './resource.js';
import { parseScope } from './scope.js';

export interface FaultOptions {
  readonly allow_loopback_http: boolean;
}

/** Every fault, as a sentence that begins with its member. */
export function* metadataFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  yield* profileFaults(metadata);
  yield* scopeFaults(metadata);
  yield* uriFaults(metadata, options);
  yield* logoutFaults(metadata, options);
  yield* grantFaults(metadata);
  yield* keyFaults(metadata);
}

function* profileFaults(metadata: ClientMetadata): Generator<string> {
  const { security_profile, sender_constrained, token_endpoint_auth_methods, signing_algs } =
    profileOf(metadata);
  if (sender_constrained)
    yield `security_profile: ${security_profile} demands tokens that are bound to a key, which this server does not issue`;
  if (token_endpoint_auth_methods?.includes(metadata.token_endpoint_auth_method) === false)
    yield `token_endpoint_auth_method: ${security_profile} allows ${token_endpoint_auth_methods.join(', ')}`;
  const alg = metadata.token_endpoint_auth_signing_alg;
  if (alg !== undefined && signing_algs?.includes(alg) === false)
    yield `token_endpoint_auth_signing_alg: ${security_profile} allows ${signing_algs.join(', ')}`;
}

function* scopeFaults(metadata: ClientMetadata): Generator<string> {
  try {
    parseScope(metadata.scope);
  } catch (error) {
    yield error instanceof OAuthError ? error.description : String(error); // all of them are told at once
  }
}

function* uriFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const native = metadata.application_type === 'native';
  for (const redirect_uri of [...metadata.redirect_uris, ...metadata.post_logout_redirect_uris]) {
    try {
      assertRedirectUri(redirect_uri, { ...options, native });
    } catch (error) {
      yield error instanceof OAuthError ? error.description : String(error);
    }
  }
  for (const member of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri'] as const) {
    const value = metadata[member];
    if (value !== undefined && !isWebUrl(value, options)) yield `${member}: must be an https URL`;
  }
  for (const origin of metadata.allowed_origins) {
    if (!isWebUrl(origin, options) || new URL(origin).origin !== origin) {
      yield `allowed_origins: ${origin} is not an origin like https://app.example.com`;
    }
  }
  if (metadata.default_resource !== undefined && !isResource(metadata.default_resource)) {
    yield 'default_resource: must be an absolute URI without a fragment';
  }
}

function* logoutFaults(metadata: ClientMetadata, options: FaultOptions): Generator<string> {
  const { backchannel_logout_uri, frontchannel_logout_uri } = metadata;
  for (const [member, value] of Object.entries({ backchannel_logout_uri, frontchannel_logout_uri })) {
    if (value !== undefined && (!isWebUrl(value, options) || value.includes('#')))
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

function isWebUrl(text: string, options: FaultOptions): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  const scheme = protocol === 'https:' || (protocol === 'http:' && options.allow_loopback_http);
  return scheme && username === '' && password === '';
}

function* grantFaults(metadata: ClientMetadata): Generator<string> {
  const grants: readonly string[] = metadata.grant_types;
  const code = grants.includes('authorization_code');
  if (code && metadata.redirect_uris.length === 0)
    yield 'redirect_uris: the authorization_code grant needs at least one';
  if (grants.includes('refresh_token') && !code && !usesSignInApi(metadata))
    yield 'grant_types: refresh_token needs authorization_code beside it';
  if (metadata.response_types !== undefined && metadata.response_types.includes('code') !== code) {
    yield 'response_types: code and the authorization_code grant go together';
  }
  if (grants.includes('client_credentials') && metadata.token_endpoint_auth_method === 'none') {
    yield 'grant_types: client_credentials is for confidential clients alone (RFC 6749 §4.4)';
  }
  if (metadata.token_endpoint_auth_method === 'none' && !metadata.require_pkce) {
    yield 'require_pkce: a public client cannot do without PKCE';
  }
}

function* keyFaults(metadata: ClientMetadata): Generator<string> {
  if (metadata.jwks !== undefined && metadata.jwks_uri !== undefined)
    yield 'jwks: either jwks or jwks_uri, not both';
  const keys = metadata.jwks !== undefined || metadata.jwks_uri !== undefined;
  if (metadata.token_endpoint_auth_method === 'private_key_jwt' && !keys) {
    yield 'jwks: private_key_jwt needs the public keys, as jwks or jwks_uri';
  }
  const secret = metadata.jwks?.keys.some((key) => 'd' in key || 'k' in key || 'p' in key);
  if (secret) yield 'jwks: holds a private or symmetric key; register public keys only';
}
