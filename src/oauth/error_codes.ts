/**
 * Every error code this server answers, as developers of applications are told of it: the page /errors and docs/errors.md are
 * printed from here, and each error answer names its entry (error_uri). RFC 6749 §4.1.2.1 and §5.2; RFC 6750 §3.1; RFC 7009 §2.2.1;
 * RFC 7591 §3.2.2; RFC 8707 §2; RFC 9101 §7; OpenID Connect Core §3.1.2.6; decisions 28.
 */

interface ErrorEntry {
  /** At a direct endpoint; the authorization endpoint sends the code back to the redirect URI. */
  readonly status: number;
  /** What happened. */
  readonly sentence: string;
  /** What the developer should do. */
  readonly advice: string;
}

export const errorCodes = {
  invalid_request: {
    status: 400,
    sentence:
      'A parameter is missing, is there twice, or cannot be read; client_id or redirect_uri is not registered; or the request has another form than its endpoint takes.',
    advice:
      'Correct the parameter that error_description names. A redirect_uri must equal a registered one, character for character; where it does not, the person sees a page, and nothing is sent back. The token endpoint and its kin take a POST with a form body. With status 429, wait as long as Retry-After says; with 413, send less.',
  },
  invalid_client: {
    status: 401,
    sentence:
      'The client is unknown or disabled, or did not prove who it is in the way it is registered for.',
    advice:
      'Compare client_id and token_endpoint_auth_method with “sallyport clients show”. A client proves itself in one way only: the registered one. With HTTP Basic, form-encode id and secret before Base64. Keys behind a jwks_uri must be there for us to fetch.',
  },
  invalid_grant: {
    status: 400,
    sentence:
      'The code or refresh token is unknown, expired, used, revoked or somebody else’s, or what came with it does not fit: redirect_uri, code_verifier, or at the sign-in API the password.',
    advice:
      'Send the person to the authorization endpoint again. A code is good once and for a minute, with the same redirect_uri, and with the code_verifier of its own request. Keep the newest refresh token only, and use it from one place.',
  },
  unauthorized_client: {
    status: 400,
    sentence:
      'The client is known, but may not do what it asks: it is not registered for the grant, the response type or the sign-in API, or the token is another client’s.',
    advice:
      'Register it for that, as in “sallyport clients update CLIENT_ID --grant-type …”, or ask for what it is registered for.',
  },
  unsupported_grant_type: {
    status: 400,
    sentence: 'This server has no such grant_type.',
    advice:
      'Use one of grant_types_supported of the discovery document. The password grant is not among them, and will not be.',
  },
  unsupported_token_type: {
    status: 400,
    sentence: 'Tokens of this kind cannot be revoked at the revocation endpoint.',
    advice:
      'Send an access token or a refresh token. An ID token cannot be revoked: end the session by logout.',
  },
  unsupported_response_type: {
    status: 400,
    sentence: 'This server does not answer that response_type.',
    advice: 'Use one of response_types_supported of the discovery document; “code” always works.',
  },
  invalid_scope: {
    status: 400,
    sentence: 'The scope is unknown, malformed, or more than was granted.',
    advice:
      'Ask for words that the client is registered for. A refresh can narrow the scope, and never widen it: for more, go to the authorization endpoint.',
  },
  invalid_target: {
    status: 400,
    sentence:
      'The resource is unknown here, is no absolute URI without fragment, or was not part of what was authorized.',
    advice:
      'Write resource exactly as in “sallyport resources list”, and name it in the authorization request before the token request.',
  },
  access_denied: {
    status: 403,
    sentence: 'The person did not agree; or the request does not come from where it must.',
    advice:
      'Let the person try again when they want to. At the sign-in API, the origin of your page must be among the allowed_origins of the client.',
  },
  login_required: {
    status: 400,
    sentence:
      'The person has to sign in, and the request forbids to ask (prompt=none); or another person is signed in than was asked for.',
    advice: 'Send the person to the authorization endpoint without prompt=none.',
  },
  consent_required: {
    status: 400,
    sentence: 'The person has to agree first, and the request forbids to ask (prompt=none).',
    advice:
      'Send the person to the authorization endpoint without prompt=none. For redirects to loopback addresses and custom schemes this is so each time.',
  },
  mfa_required: {
    status: 401,
    sentence: 'The password is right; a second factor of the person is missing.',
    advice: 'Ask the person for it and go on with POST /users/login/factor and the mfa_token of this answer.',
  },
  interaction_required: {
    status: 400,
    sentence: 'The person has to do something on a page, and the request forbids to show one (prompt=none).',
    advice: 'Send the person to the authorization endpoint without prompt=none.',
  },
  account_selection_required: {
    status: 400,
    sentence: 'The person has to choose an account, and the request forbids to ask (prompt=none).',
    advice:
      'Send the person to the authorization endpoint without prompt=none, or name the person by id_token_hint.',
  },
  unmet_authentication_requirements: {
    status: 400,
    sentence: 'The person cannot sign in in the way that the request makes essential (acr).',
    advice:
      'Ask for one of acr_values_supported of the discovery document, or ask for it as voluntary: then look at acr of the ID token.',
  },
  invalid_request_object: {
    status: 400,
    sentence:
      'The request object cannot be read, is signed wrongly, or says what does not fit the request around it.',
    advice:
      'Sign it with a key of the client’s registered JWK Set and the registered algorithm; client_id inside and outside must be equal, aud must hold the issuer.',
  },
  invalid_request_uri: {
    status: 400,
    sentence: 'The request_uri is unknown, expired, used, another client’s, or could not be fetched.',
    advice:
      'Push the request again for each authorization: a pushed request is good once and for a short time (expires_in). A URL must be registered (request_uris) and answer at once, without redirects.',
  },
  request_uri_not_supported: {
    status: 400,
    sentence: 'This server does not fetch request objects (request_uri).',
    advice:
      'Send the parameters themselves. request_uri_parameter_supported of the discovery document says whether it does.',
  },
  registration_not_supported: {
    status: 400,
    sentence: 'An authorization request cannot register its client (registration).',
    advice: 'Register the client before, and leave the parameter out.',
  },
  invalid_redirect_uri: {
    status: 400,
    sentence: 'A redirect URI cannot be registered as it is.',
    advice:
      'Register absolute URIs without fragment and wildcard: https for web applications; a custom scheme, https or http on a loopback address for native ones.',
  },
  invalid_client_metadata: {
    status: 400,
    sentence:
      'A member of the client’s metadata has a value that this server does not accept, or two do not go together.',
    advice:
      'Correct the member that error_description names; the discovery document lists what is supported.',
  },
  invalid_software_statement: {
    status: 400,
    sentence: 'The software statement of a registration cannot be read or verified.',
    advice: 'Get a fresh statement from whoever issued it, or register without.',
  },
  unapproved_software_statement: {
    status: 400,
    sentence: 'This server does not trust the issuer of the software statement.',
    advice: 'Register without a statement, or ask the operator to register the client.',
  },
  invalid_token: {
    status: 401,
    sentence: 'The access token is unknown, expired, revoked, or for another audience.',
    advice:
      'Get another one: by the refresh token, or at the authorization endpoint. A token for a resource of its own is not for userinfo: ask for one without resource.',
  },
  insufficient_scope: {
    status: 403,
    sentence: 'The access token is good, but was not granted what this endpoint needs.',
    advice: 'Ask for the scope that the WWW-Authenticate header names, in the authorization request.',
  },
  server_error: {
    status: 500,
    sentence: 'Something went wrong here. It is not your fault.',
    advice:
      'Try again in a moment. If it happens again, give the operator the error id of error_description: it is in the log.',
  },
  temporarily_unavailable: {
    status: 503,
    sentence: 'The server has too much to do at the moment.',
    advice: 'Try again after as many seconds as Retry-After says.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof errorCodes;

/** The entry of a code on the page /errors of this issuer: a URI of plain ASCII (RFC 6749 §5.2). */
export function errorUri(issuer: string, code: ErrorCode): string {
  return `${issuer}/errors#${code}`;
}
