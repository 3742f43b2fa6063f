/**
 * Security profiles: where the standards contradict each other, a client's profile decides, never a global switch (protocol.md §0). Each
 * rule that differs is a member here; registration, discovery and the checks of a request read it and know no profile by name.
 */

export interface SecurityProfile {
  readonly security_profile: string;
  /** The response types it may be registered for; null for all that this server has. */
  readonly response_types: readonly string[] | null;
  /** Who must send a code_challenge: public clients (others by `require_pkce`), or everybody. RFC 9700 §2.1.1; OAuth 2.1 §4.1.1. */
  readonly pkce: 'public_clients' | 'everybody';
  /** How a request must come: any way, signed (by value or pushed), or pushed. */
  readonly request: 'any' | 'signed_or_pushed' | 'pushed';
  /** Whether all that counts of a request object must be inside it. RFC 9101 §6.3. */
  readonly request_object_is_complete: boolean;
  /** How long a request object may be valid and how old it may be, seconds: its times and audience are then required. Null for any. */
  readonly request_object_seconds: number | null;
  /** Whether an ID token that travels through the browser is bound to `state` too. FAPI 1.0 Advanced §5.2.2.1. */
  readonly id_token_has_s_hash: boolean;
  /** The methods of client authentication; null for all. */
  readonly token_endpoint_auth_methods: readonly string[] | null;
  /** The `aud` of a client assertion: anything that names this server, the issuer among others, or the issuer as one text. RFC 7523 §3. */
  readonly assertion_audience: 'server' | 'issuer' | 'issuer_alone';
  /** Whether its tokens must be bound to a key of the client. */
  readonly sender_constrained: boolean;
  /** Whether refresh tokens are replaced: for public clients always (others by `refresh_token_rotation`), or for nobody. */
  readonly refresh_token_rotation: 'public_clients' | 'nobody';
  /** What is signed for it and by it; null for every algorithm. */
  readonly signing_algs: readonly string[] | null;
  /** Whether redirect_uri may be left out of a token request. OAuth 2.1 §10.2. */
  readonly token_request_without_redirect_uri: boolean;
}

const common: Omit<SecurityProfile, 'security_profile'> = {
  response_types: null,
  pkce: 'public_clients',
  request: 'any',
  request_object_is_complete: false,
  request_object_seconds: null,
  id_token_has_s_hash: false,
  token_endpoint_auth_methods: null,
  assertion_audience: 'server',
  sender_constrained: false,
  refresh_token_rotation: 'public_clients',
  signing_algs: null,
  token_request_without_redirect_uri: false,
};

const fapi: Omit<SecurityProfile, 'security_profile'> = {
  ...common,
  pkce: 'everybody',
  request_object_is_complete: true,
  request_object_seconds: 3600,
  token_endpoint_auth_methods: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  sender_constrained: true,
  refresh_token_rotation: 'nobody',
};

export const profiles = {
  default: { ...common, security_profile: 'default' },

  /** OAuth 2.1, and with it the Model Context Protocol. */
  oauth_2_1: {
    ...common,
    security_profile: 'oauth_2_1',
    response_types: ['code'],
    pkce: 'everybody',
    assertion_audience: 'issuer',
    token_request_without_redirect_uri: true,
  },

  /** FAPI 1.0 Advanced. */
  fapi_1_advanced: {
    ...fapi,
    security_profile: 'fapi_1_advanced',
    response_types: ['code', 'code id_token'],
    request: 'signed_or_pushed',
    id_token_has_s_hash: true,
    signing_algs: ['PS256', 'ES256'],
  },

  /** FAPI 2.0 Security Profile. */
  fapi_2: {
    ...fapi,
    security_profile: 'fapi_2',
    response_types: ['code'],
    request: 'pushed',
    assertion_audience: 'issuer_alone',
    signing_algs: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
  },
} as const satisfies Record<string, SecurityProfile>;

export type ProfileName = keyof typeof profiles;

/** The rules that a client follows. */
export function profileOf(client: { readonly security_profile: ProfileName }): SecurityProfile {
  return profiles[client.security_profile];
}
