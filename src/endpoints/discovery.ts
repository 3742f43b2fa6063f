/**
 * Discovery, GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server. OpenID Connect Discovery §3;
 * RFC 8414 §2. Computed from the parts that are really there.
 */
import type { Middleware } from 'koa';
import { claimsSupported, openidScopes } from '../claims/index.js';
import { authenticationMethods } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { relyingParty } from '../factors/webauthn_options.js';
import * as grants from '../grants/index.js';
import { document } from '../http/answer.js';
import { languages } from '../languages/catalogues.js';
import { acrs } from '../oauth/acr.js';
import { jweAlgs, jweEncs, jwsAlgs } from '../oauth/algorithms.js';
import { assertion_algs, subject_types } from '../oauth/client_metadata.js';
import type { ResponsePurpose } from '../oauth/client_rules.js';
import { promptsOf } from '../oauth/prompt.js';
import { fetchesRequestObjects } from '../oauth/request_transport.js';
import { responseModesSupported } from '../oauth/response_mode.js';
import { isFrontChannel } from '../oauth/response_types.js';
import { digest } from '../secrets.js';

export function discovery(deps: Pick<Deps, 'caches' | 'config'>): Middleware {
  let built:
    | { readonly from: ReadonlyMap<string, readonly string[]>; readonly body: Buffer; readonly etag: string }
    | undefined;
  return async (ctx) => {
    const resources = await deps.caches.resources();
    if (built?.from !== resources) {
      const text = JSON.stringify(withAliases(deps.config, metadata(deps.config, resources)));
      built = { from: resources, body: Buffer.from(text), etag: `"${digest(text).slice(0, 22)}"` };
    }
    document(ctx, built.body, built.etag, { type: 'application/json', max_age: 3600 });
  };
}

/** What a client may register for one purpose. Everything of the tables, since every client may. */
function signedAndEncrypted(purpose: ResponsePurpose | 'request_object'): object {
  return {
    [`${purpose}_signing_alg_values_supported`]: jwsAlgs,
    [`${purpose}_encryption_alg_values_supported`]: jweAlgs,
    [`${purpose}_encryption_enc_values_supported`]: jweEncs,
  };
}

/** The endpoints that authenticate clients, at the origin that asks them for a certificate. RFC 8705 §5. */
function withAliases({ mtls_origin }: Deps['config'], metadata: object): object {
  if (mtls_origin === undefined) return metadata;
  const authenticating = /^(token|introspection|revocation|pushed_authorization_request)_endpoint$/;
  const aliases = Object.entries(metadata)
    .filter(([name]) => authenticating.test(name))
    .map(([name, url]) => [name, mtls_origin + new URL(String(url)).pathname]);
  return { ...metadata, mtls_endpoint_aliases: Object.fromEntries(aliases) };
}

/** What can be reached here. A passkey alone reaches all of them, whatever the policy on second factors. */
function acrsSupported(config: Deps['config']): readonly string[] {
  if (relyingParty(config) !== null) return acrs;
  const asks = config.SECOND_FACTOR !== 'off' || config.SECOND_FACTOR_ROLES.length > 0;
  return acrs.slice(0, asks ? 2 : 1);
}

function metadata(config: Deps['config'], resources: ReadonlyMap<string, readonly string[]>): object {
  const { ISSUER: issuer, loopback, CLIENT_REGISTRATION } = config;
  const methods = authenticationMethods(config);
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    require_pushed_authorization_requests: config.REQUIRE_PUSHED_REQUESTS,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    status_list_aggregation_endpoint: `${issuer}/status-lists`,
    jwks_uri: `${issuer}/jwks`,
    end_session_endpoint: `${issuer}/logout`,
    ...(!loopback && { check_session_iframe: `${issuer}/check-session` }),
    ...(CLIENT_REGISTRATION !== 'closed' && { registration_endpoint: `${issuer}/register` }),
    scopes_supported: [...new Set([...openidScopes, ...[...resources.values()].flat()])],
    response_types_supported: config.RESPONSE_TYPES,
    response_modes_supported: responseModesSupported,
    grant_types_supported: [
      ...Object.values(grants).map((grant) => grant.grant_type),
      ...(config.RESPONSE_TYPES.some(isFrontChannel) ? ['implicit'] : []),
    ],
    subject_types_supported: subject_types,
    ...signedAndEncrypted('id_token'),
    ...signedAndEncrypted('userinfo'),
    ...signedAndEncrypted('introspection'),
    ...signedAndEncrypted('authorization'),
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: assertion_algs,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: assertion_algs,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: assertion_algs,
    acr_values_supported: acrsSupported(config),
    claim_types_supported: ['normal'],
    claims_supported: [...claimsSupported],
    claims_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: promptsOf(config.USER_REGISTRATION),
    request_parameter_supported: true,
    ...signedAndEncrypted('request_object'),
    require_signed_request_object: config.REQUIRE_SIGNED_REQUESTS,
    request_uri_parameter_supported: fetchesRequestObjects(config),
    require_request_uri_registration: fetchesRequestObjects(config),
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    authorization_response_iss_parameter_supported: true,
    ui_locales_supported: languages,
    ...(resources.size > 0 && { protected_resources: [...resources.keys()] }),
  };
}
