/** What follows from a client's metadata. */
import type { ClientMetadata } from './client_metadata.js';
import { profileOf } from './profiles.js';

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
  client: Pick<ClientMetadata, 'token_endpoint_auth_method' | 'refresh_token_rotation' | 'security_profile'>,
): boolean {
  if (profileOf(client).refresh_token_rotation === 'nobody') return false;
  return isPublic(client) || client.refresh_token_rotation === true;
}

/** Whether it must send a code_challenge. RFC 9700 §2.1.1; decisions 24. */
export function mustUsePkce(
  client: Pick<ClientMetadata, 'token_endpoint_auth_method' | 'require_pkce' | 'security_profile'>,
): boolean {
  return profileOf(client).pkce === 'everybody' || isPublic(client) || client.require_pkce;
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
