/** What follows from a client's metadata. */
import { type JweAlg, type JweEnc, type JwsAlg, jweEncs } from './algorithms.js';
import type { ClientMetadata } from './client_metadata.js';
import { profileOf } from './profiles.js';
import type { ResponseTypeName } from './response_types.js';

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

/** The response types that it may ask for: by default that of the code flow, where it has that. */
export function responseTypesOf(
  client: Pick<ClientMetadata, 'grant_types' | 'response_types'>,
): readonly ResponseTypeName[] {
  return client.response_types ?? (client.grant_types.includes('authorization_code') ? ['code'] : []);
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

/** What a client may want signed, and encrypted to its own key. */
export const responsePurposes = ['id_token', 'userinfo', 'introspection', 'authorization'] as const;
export type ResponsePurpose = (typeof responsePurposes)[number];

type ResponseMember = `${ResponsePurpose}_${'signed' | 'encrypted'}_response_${'alg' | 'enc'}`;

/** The algorithms that a client registered for one purpose. RS256 where it says none, as OpenID Connect Registration §2 has it. */
export interface ResponseAlgorithms {
  readonly signed: JwsAlg;
  /** Undefined where nothing is encrypted. */
  readonly encrypted: { readonly alg: JweAlg; readonly enc: JweEnc } | undefined;
}

export function responseAlgorithms(client: object, purpose: ResponsePurpose): ResponseAlgorithms {
  const registered: Readonly<Partial<Record<ResponseMember, string>>> = client;
  const alg = registered[`${purpose}_encrypted_response_alg`] as JweAlg | undefined; // checked at registration, like the others
  const enc = (registered[`${purpose}_encrypted_response_enc`] ?? jweEncs[0]) as JweEnc;
  return {
    signed: (registered[`${purpose}_signed_response_alg`] ?? 'RS256') as JwsAlg,
    encrypted: alg && { alg, enc },
  };
}

/** Whether userinfo answers it a JWT. What is encrypted is signed before, also where it says no algorithm for that: with RS256. */
export function wantsSignedUserinfo(
  client: Pick<ClientMetadata, 'userinfo_signed_response_alg' | 'userinfo_encrypted_response_alg'>,
): boolean {
  return (
    client.userinfo_signed_response_alg !== undefined || client.userinfo_encrypted_response_alg !== undefined
  );
}

/** Whether introspection always answers it a JWT, also without being asked for one. RFC 9701 §4, §6. */
export function wantsSignedIntrospection(
  client: Pick<ClientMetadata, 'introspection_signed_response_alg' | 'introspection_encrypted_response_alg'>,
): boolean {
  return (
    client.introspection_signed_response_alg !== undefined ||
    client.introspection_encrypted_response_alg !== undefined
  );
}

/** Every algorithm that this server signs with for a client. */
export function signedResponseAlgs(client: object): readonly JwsAlg[] {
  return responsePurposes.map((purpose) => responseAlgorithms(client, purpose).signed);
}

/** The hosts of its redirect URIs on the web. Empty where one of them has none: it is of no host then. */
export function redirectHosts({ redirect_uris }: Pick<ClientMetadata, 'redirect_uris'>): readonly string[] {
  const web = redirect_uris.filter((text) => /^https?:/.test(text) && URL.canParse(text));
  return web.length < redirect_uris.length ? [] : [...new Set(web.map((text) => new URL(text).hostname))];
}

/**
 * The sector whose clients know a user by the same pairwise subject: a host. Null for a client with public subjects. OpenID Connect
 * Core §8.1.
 */
export function sectorOf(
  client: Pick<ClientMetadata, 'subject_type' | 'sector_identifier_uri' | 'redirect_uris'>,
): string | null {
  if (client.subject_type === 'public') return null;
  const { sector_identifier_uri: uri } = client;
  return uri === undefined ? (redirectHosts(client)[0] ?? '') : new URL(uri).hostname;
}
