/**
 * What a relying application may be registered with: the metadata of RFC 7591 §2, OpenID Connect Registration §2, Back-Channel
 * Logout §2.2 and Front-Channel Logout §2, and members of our own (first_party, id_token_claims, require_pkce, default_resource, allowed_origins,
 * refresh_token_rotation, refresh_grace_seconds).
 */
import { z } from 'zod';
import { OAuthError } from './errors.js';
import { assertRedirectUri } from './redirect_uri.js';
import { parseScope } from './scope.js';

const grant_types = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
const token_endpoint_auth_methods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const;
/** What a client may sign its assertions with. RFC 7518 §3.1, RFC 8037. */
export const assertion_algs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

const uri = z.string().min(1).max(2048);
const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(20) });

const clientMetadata = z.strictObject({
  client_name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'holds a control character'),
  client_uri: uri.optional(),
  logo_uri: uri.optional(),
  policy_uri: uri.optional(),
  tos_uri: uri.optional(),
  contacts: z.array(z.string().max(320)).max(20).optional(),
  application_type: z.enum(['web', 'native']).default('web'),
  redirect_uris: z.array(uri).max(50).default([]),
  post_logout_redirect_uris: z.array(uri).max(50).default([]),
  backchannel_logout_uri: uri.optional(),
  backchannel_logout_session_required: z.boolean().default(false),
  frontchannel_logout_uri: uri.optional(),
  frontchannel_logout_session_required: z.boolean().default(false),
  grant_types: z.array(z.enum(grant_types)).min(1).default(['authorization_code']),
  response_types: z.array(z.enum(['code'])).optional(),
  token_endpoint_auth_method: z.enum(token_endpoint_auth_methods).default('client_secret_basic'),
  token_endpoint_auth_signing_alg: z.enum(assertion_algs).optional(),
  id_token_signed_response_alg: z.enum(['RS256']).default('RS256'),
  jwks: jwks.optional(),
  jwks_uri: uri.optional(),
  scope: z.string().max(2048).default('openid profile email address phone offline_access'),
  default_max_age: z.int().min(0).optional(),
  require_auth_time: z.boolean().default(false),
  first_party: z.boolean().default(false),
  id_token_claims: z.enum(['scope', 'minimal']).default('scope'),
  require_pkce: z.boolean().default(true),
  default_resource: uri.optional(),
  allowed_origins: z.array(uri).max(50).default([]),
  refresh_token_rotation: z.boolean().optional(),
  refresh_grace_seconds: z.int().min(0).max(60).default(10),
});

export type ClientMetadata = z.infer<typeof clientMetadata>;

/**
 * Reads client metadata and checks that its members go together. Throws `invalid_request` naming every member that is
 * wrong. `allow_loopback_http` is true where the issuer itself is a loopback http address.
 */
export function parseClientMetadata(
  input: unknown,
  options: { readonly allow_loopback_http: boolean },
): ClientMetadata {
  if (typeof input === 'object' && input !== null && 'client_secret' in input) {
    throw new OAuthError(
      'invalid_request',
      'client_secret: secrets are generated here, they cannot be brought along',
    );
  }
  const parsed = clientMetadata.safeParse(input);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'metadata'}: ${issue.message}`,
    );
    throw new OAuthError('invalid_request', faults.join('; '));
  }
  const metadata = parsed.data;
  const faults = new Set([
    ...scopeFaults(metadata),
    ...uriFaults(metadata, options),
    ...logoutFaults(metadata, options),
    ...grantFaults(metadata),
    ...keyFaults(metadata),
  ]);
  if (faults.size > 0) throw new OAuthError('invalid_request', [...faults].join('; '));
  return { ...metadata, ...withoutRepeats(metadata) };
}

function withoutRepeats(metadata: ClientMetadata) {
  const once = <T>(values: readonly T[]) => [...new Set(values)];
  return {
    grant_types: once(metadata.grant_types),
    redirect_uris: once(metadata.redirect_uris),
    post_logout_redirect_uris: once(metadata.post_logout_redirect_uris),
    allowed_origins: once(metadata.allowed_origins),
    scope: parseScope(metadata.scope).join(' '),
  };
}

function* scopeFaults(metadata: ClientMetadata): Generator<string> {
  try {
    parseScope(metadata.scope);
  } catch (error) {
    yield error instanceof OAuthError ? error.description : String(error); // all of them are told at once
  }
}

function* uriFaults(
  metadata: ClientMetadata,
  options: { readonly allow_loopback_http: boolean },
): Generator<string> {
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

function* logoutFaults(
  metadata: ClientMetadata,
  options: { readonly allow_loopback_http: boolean },
): Generator<string> {
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

function isWebUrl(text: string, options: { readonly allow_loopback_http: boolean }): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  const scheme = protocol === 'https:' || (protocol === 'http:' && options.allow_loopback_http);
  return scheme && username === '' && password === '';
}

/** Whether a text may name a resource server: an absolute URI without a fragment. RFC 8707 §2. */
export function isResource(text: string): boolean {
  return /^[\x21-\x7e]{1,2048}$/.test(text) && URL.canParse(text) && !text.includes('#');
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

/** Whether a client has no way to keep a secret. RFC 6749 §2.1. */
export function isPublic(client: Pick<ClientMetadata, 'token_endpoint_auth_method'>): boolean {
  return client.token_endpoint_auth_method === 'none';
}

/**
 * Whether a client may take passwords itself, at the first-party sign-in API: a public one that the operator marked as their own and
 * whose origins are known. Decisions 25 and 29.
 */
export function usesSignInApi(
  client: Pick<ClientMetadata, 'token_endpoint_auth_method' | 'first_party' | 'allowed_origins'>,
): boolean {
  return client.first_party && isPublic(client) && client.allowed_origins.length > 0;
}

/** Whether its refresh tokens are replaced at each use: always for public clients, by choice for others. RFC 9700 §2.2.2. */
export function rotatesRefreshTokens(
  client: Pick<ClientMetadata, 'token_endpoint_auth_method' | 'refresh_token_rotation'>,
): boolean {
  return isPublic(client) || client.refresh_token_rotation === true;
}

/** The origins from which a browser script may call the token endpoint as this client. */
export function originsOf(
  client: Pick<ClientMetadata, 'allowed_origins' | 'redirect_uris'>,
): readonly string[] {
  const web = client.redirect_uris.filter((text) => text.startsWith('https:') || text.startsWith('http:'));
  return [...client.allowed_origins, ...web.map((text) => new URL(text).origin)];
}

/** Whether a client wants to know when a session it took part in ends. */
export function isToldLogout(
  client: Pick<ClientMetadata, 'backchannel_logout_uri' | 'frontchannel_logout_uri'>,
): boolean {
  return client.backchannel_logout_uri !== undefined || client.frontchannel_logout_uri !== undefined;
}
