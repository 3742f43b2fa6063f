/**
 * What an authorization request wants a user to agree to, as a set of words: scopes, `claim:name`, `resource:uri`, and
 * `resource:uri#scope` for what a scope allows there. What was agreed to before is remembered per client. OpenID Connect Core
 * §3.1.2.4.
 */
import type { AuthorizationRequest } from './authorization_request.js';
import { requestedClaims } from './claims_request.js';
import type { ClientMetadata } from './client_metadata.js';
import { isPublic } from './client_rules.js';
import { redirectUriKind } from './redirect_uri.js';
import { intersect, without } from './scope.js';

/** Claims that say nothing about a person beyond that they signed in. */
const impersonal = new Set(['sub', 'acr', 'auth_time']);

/** The scope words of each resource server, by identifier. */
export type ResourceScopes = ReadonlyMap<string, readonly string[]>;

const none: ResourceScopes = new Map();

/**
 * Everything the request wants: signing in itself is agreed to by name. A scope of a resource counts once for each resource, so
 * that `read` at one and `write` at another do not add up to `write` at the first (protocol.md INT-12).
 */
export function wantedWords(
  request: Pick<AuthorizationRequest, 'scope' | 'claims' | 'resource'>,
  client: Pick<ClientMetadata, 'default_resource'> = {},
  resources: ResourceScopes = none,
): readonly string[] {
  const claims = requestedClaims(request.claims).filter((name) => !impersonal.has(name));
  const audience = wantedAudience(request, client);
  return [
    'sign_in',
    ...request.scope,
    ...claims.map((name) => `claim:${name}`),
    ...audience.map((uri) => `resource:${uri}`),
    ...audience.flatMap((uri) =>
      intersect(request.scope, resources.get(uri) ?? []).map((word) => `resource:${uri}#${word}`),
    ),
  ];
}

/** The resources that the tokens will be for (decisions 26); none where it is this server itself. */
function wantedAudience(
  request: Pick<AuthorizationRequest, 'resource'>,
  { default_resource }: Pick<ClientMetadata, 'default_resource'>,
): readonly string[] {
  return request.resource.length > 0 || default_resource === undefined
    ? request.resource
    : [default_resource];
}

/** What is still to be agreed to. Nothing for an application that the operator marked as their own. */
export function wordsToApprove(
  request: Pick<AuthorizationRequest, 'scope' | 'claims' | 'resource'>,
  client: ClientMetadata,
  approved: readonly string[],
  resources: ResourceScopes = none,
): readonly string[] {
  if (client.first_party) return [];
  return without(wantedWords(request, client, resources), approved);
}

/**
 * Whether consent is asked each time: another program on the person's machine could have taken a loopback port or a scheme of a
 * public client (RFC 8252 §8.6; decisions 23).
 */
export function consentEachTime(client: ClientMetadata, redirect_uri: string): boolean {
  return isPublic(client) && redirectUriKind(redirect_uri) !== 'https';
}
