/**
 * What a client may say about itself when it registers: a closed list of members, with the defaults of the standards rather than the
 * operator's (protocol.md §30.3, decisions 24). What it may not set, and what is unknown, is left out. RFC 7591 §2 and §3.2.2.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { type ClientMetadata, settableByClient } from './client_metadata.js';
import { responseTypesOf } from './client_rules.js';
import { OAuthError } from './errors.js';
import { parseScope } from './scope.js';
import { isTranslation } from './translations.js';

export type RegistrationRequest = Readonly<Record<string, unknown>>;

/** What clients like the one that asks may have. */
export interface RegistrationPolicy {
  readonly scope: readonly string[];
  /** Whether it may get tokens for itself. */
  readonly client_credentials: boolean;
}

/**
 * The metadata of a request, for parseClientMetadata, which checks all that is not checked here. Throws
 * `unapproved_software_statement`: a statement's members would have to win over all others, and nobody's are trusted here; and
 * `invalid_client_metadata` for what the policy forbids or what could never be used.
 */
export function requestedMetadata(
  request: RegistrationRequest,
  policy: RegistrationPolicy,
): RegistrationRequest {
  if (isThere(request.software_statement))
    throw new OAuthError('unapproved_software_statement', 'software statements are not accepted here');
  const asked: RegistrationRequest = Object.fromEntries(
    Object.entries(request).filter(
      ([member, value]) => isThere(value) && (settableByClient.has(member) || isTranslation(member)),
    ),
  );
  const { grant_types, jwks, token_endpoint_auth_method } = asked;
  if (!policy.client_credentials && Array.isArray(grant_types) && grant_types.includes('client_credentials'))
    throw metadataError(
      'grant_types: client_credentials is for clients that come with an initial access token',
    );
  if (token_endpoint_auth_method === 'private_key_jwt' && jwks !== undefined && !holdsPublicKey(jwks))
    throw metadataError('jwks: holds no public key that can be read');
  return {
    client_name: nameFor(asked),
    require_pkce: token_endpoint_auth_method === 'none', // decisions 24
    ...asked,
    scope: scopeWithin(asked.scope, policy.scope),
  };
}

/** A member that is null is one that is not there (RFC 7592 §2.2). */
function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** For a client without a name, which it need not have: the host that people are sent back to. */
function nameFor({ redirect_uris }: RegistrationRequest): string {
  const [first]: unknown[] = Array.isArray(redirect_uris) ? redirect_uris : [];
  if (typeof first !== 'string' || !URL.canParse(first)) return 'Application without a name';
  const { host, protocol } = new URL(first);
  return (host || protocol).slice(0, 200);
}

/** The scopes it asks for as far as it may have them; all it may have where it asks for none. Throws where nothing is left. */
function scopeWithin(scope: unknown, allowed: readonly string[]): unknown {
  if (scope === undefined || scope === '') return allowed.join(' ');
  if (typeof scope !== 'string' || scope.length > 2048) return scope; // told by parseClientMetadata
  const words = parseScope(scope).filter((word) => allowed.includes(word));
  if (words.length === 0) throw metadataError(`scope: only ${allowed.join(' ')} may be registered`);
  return words.join(' ');
}

function holdsPublicKey(jwks: unknown): boolean {
  const keys: unknown = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined;
  return Array.isArray(keys) && keys.slice(0, 20).some(isPublicKey);
}

function isPublicKey(key: unknown): boolean {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).type === 'public';
  } catch {
    return false; // node:crypto says so by throwing
  }
}

/** What a client is told of its metadata: all that it may set, with defaults. */
export function toldMetadata(metadata: ClientMetadata): RegistrationRequest {
  const told = Object.entries(metadata).filter(
    ([member]) => settableByClient.has(member) || isTranslation(member),
  );
  return {
    response_types: responseTypesOf(metadata),
    ...Object.fromEntries(told),
  };
}

/** The members of a client that it could not have set: the operator's. */
export function operatorsPart(metadata: ClientMetadata): RegistrationRequest {
  return Object.fromEntries(
    Object.entries(metadata).filter(([member]) => !settableByClient.has(member) && !isTranslation(member)),
  );
}

/** What is demanded of a client beyond the standards. It may demand more of itself, never less: the operator may have set it. */
export function demandsOf({ require_pkce, security_profile }: ClientMetadata): RegistrationRequest {
  return {
    ...(require_pkce && { require_pkce }),
    ...(security_profile !== 'default' && { security_profile }),
  };
}

function metadataError(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}

/** An error of reading or parsing metadata, by the codes of RFC 7591 §3.2.2. Any other error as it is. */
export function asRegistrationError(error: unknown): unknown {
  if (!(error instanceof OAuthError) || (error.code !== 'invalid_request' && error.code !== 'invalid_scope'))
    return error;
  const { description, status } = error;
  const code = /^redirect[_ ]URI/i.test(description) ? 'invalid_redirect_uri' : 'invalid_client_metadata';
  return new OAuthError(code, description, { status, cause: error });
}
