/** How an authorization request came, and what the client, its profile or the server demands of that. RFC 9126 §5; RFC 9101 §10.5. */
import type { ClientMetadata } from './client_metadata.js';
import { OAuthError } from './errors.js';
import { profileOf } from './profiles.js';

export interface Transport {
  /** By a request object. */
  readonly signed: boolean;
  /** To the pushed authorization request endpoint. */
  readonly pushed: boolean;
}

/** Whether request objects are fetched: not where every request is pushed, since an address cannot be. RFC 9126 §2.1. */
export function fetchesRequestObjects(server: {
  readonly REQUEST_URI: 'off' | 'registered';
  readonly REQUIRE_PUSHED_REQUESTS: boolean;
}): boolean {
  return server.REQUEST_URI === 'registered' && !server.REQUIRE_PUSHED_REQUESTS;
}

interface ServerRules {
  readonly REQUIRE_PUSHED_REQUESTS: boolean;
  readonly REQUIRE_SIGNED_REQUESTS: boolean;
}

type Rules = Pick<
  ClientMetadata,
  'require_pushed_authorization_requests' | 'require_signed_request_object' | 'security_profile'
>;

/** Throws `invalid_request` where it should have come another way. */
export function assertTransport(client: Rules, server: ServerRules, { signed, pushed }: Transport): void {
  const { request } = profileOf(client);
  const must_push = client.require_pushed_authorization_requests || request === 'pushed';
  if (!pushed && (server.REQUIRE_PUSHED_REQUESTS || must_push))
    throw new OAuthError('invalid_request', 'this client must push its authorization requests');
  if (!signed && mustSign(client, server))
    throw new OAuthError(
      'invalid_request',
      'this client must sign its authorization requests: request is missing',
    );
  if (!signed && !pushed && request === 'signed_or_pushed')
    throw new OAuthError('invalid_request', 'this client must sign or push its authorization requests');
}

/** Whether of a request with a request object only what is inside counts. RFC 9101 §6.3; else OpenID Connect Core §6.1. */
export function mustBeComplete(
  client: Pick<Rules, 'require_signed_request_object' | 'security_profile'>,
  server: Pick<ServerRules, 'REQUIRE_SIGNED_REQUESTS'>,
): boolean {
  return profileOf(client).request_object_is_complete || mustSign(client, server);
}

function mustSign(
  client: Pick<Rules, 'require_signed_request_object'>,
  server: Pick<ServerRules, 'REQUIRE_SIGNED_REQUESTS'>,
): boolean {
  return server.REQUIRE_SIGNED_REQUESTS || client.require_signed_request_object;
}
