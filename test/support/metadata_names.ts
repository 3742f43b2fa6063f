/** The names that a discovery document may have at its top level. */

/** The IANA registry "OAuth Authorization Server Metadata" (RFC 8414 §7.1). What it has and this server has not built is left out. */
export const registeredNames: ReadonlySet<string> = new Set([
  // RFC 8414
  ...['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'registration_endpoint'],
  ...['scopes_supported', 'response_types_supported', 'response_modes_supported', 'grant_types_supported'],
  ...['token_endpoint_auth_methods_supported', 'token_endpoint_auth_signing_alg_values_supported'],
  ...['revocation_endpoint', 'revocation_endpoint_auth_methods_supported'],
  ...['revocation_endpoint_auth_signing_alg_values_supported', 'introspection_endpoint'],
  ...['introspection_endpoint_auth_methods_supported', 'code_challenge_methods_supported'],
  ...['introspection_endpoint_auth_signing_alg_values_supported', 'ui_locales_supported'],
  // OpenID Connect Discovery
  ...['userinfo_endpoint', 'acr_values_supported', 'subject_types_supported', 'claim_types_supported'],
  ...['id_token_signing_alg_values_supported', 'id_token_encryption_alg_values_supported'],
  ...['id_token_encryption_enc_values_supported', 'userinfo_signing_alg_values_supported'],
  ...['userinfo_encryption_alg_values_supported', 'userinfo_encryption_enc_values_supported'],
  ...['request_object_signing_alg_values_supported', 'request_object_encryption_alg_values_supported'],
  ...['request_object_encryption_enc_values_supported', 'claims_supported', 'claims_parameter_supported'],
  ...['request_parameter_supported', 'request_uri_parameter_supported', 'require_request_uri_registration'],
  // RFC 8705, RFC 9101, RFC 9126, RFC 9207, RFC 9701, RFC 9728, JARM, Token Status List
  ...['mtls_endpoint_aliases', 'require_signed_request_object', 'pushed_authorization_request_endpoint'],
  ...['require_pushed_authorization_requests', 'authorization_response_iss_parameter_supported'],
  ...['introspection_signing_alg_values_supported', 'introspection_encryption_alg_values_supported'],
  ...['introspection_encryption_enc_values_supported', 'protected_resources'],
  ...['authorization_signing_alg_values_supported', 'authorization_encryption_alg_values_supported'],
  ...['authorization_encryption_enc_values_supported', 'status_list_aggregation_endpoint'],
  // Session Management, the three logouts, Initiating User Registration
  ...['check_session_iframe', 'end_session_endpoint', 'prompt_values_supported'],
  ...['frontchannel_logout_supported', 'frontchannel_logout_session_supported'],
  ...['backchannel_logout_supported', 'backchannel_logout_session_supported'],
]);
