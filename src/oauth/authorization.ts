/**
 * What an authorization request wants a user to agree to, as a set of words: scopes, `claim:name`, `resource:uri`. What was
 * agreed to before is remembered per client. OpenID Connect Core §3.1.2.4.
 */
import type { AuthorizationRequest } from './authorization_request.js';
import { requestedClaims } from './claims_request.js';
import type { ClientMetadata } from './client_metadata.js';
import { isPublic } from './client_metadata.js';
import { redirectUriKind } from './redirect_uri.js';

/** Claims that say nothing about a person beyond that they signed in. */
const impersonal = new Set(['sub', 'acr', 'auth_time']);

/** Everything the request wants, `openid` first: signing in itself is agreed to by name. */
export function wantedWords(
  request: Pick<AuthorizationRequest, 'scope' | 'claims' | 'resource'>,
): readonly string[] {
  const claims = requestedClaims(request.claims).filter((name) => !impersonal.has(name));
  return [
    'sign_in',
    ...request.scope,
    ...claims.map((name) => `claim:${name}`),
    ...request.resource.map((uri) => `resource:${uri}`),
  ];
}

/** What is still to be agreed to. Nothing for an application that the operator marked as their own. */
export function wordsToApprove(
  request: AuthorizationRequest,
  client: ClientMetadata,
  approved: readonly string[],
): readonly string[] {
  if (client.first_party) return [];
  return wantedWords(request).filter((word) => !approved.includes(word));
}

/**
 * Whether consent is asked each time: another program on the person's machine could have taken a loopback port or a scheme of a
 * public client (RFC 8252 §8.6; decisions 23).
 */
export function consentEachTime(client: ClientMetadata, redirect_uri: string): boolean {
  return isPublic(client) && redirectUriKind(redirect_uri) !== 'https';
}
