/** RP-initiated logout: what a request to sign out means, without effects. OpenID Connect RP-Initiated Logout §2–§4. */
import { parseLocales } from '../languages/tags.js';
import { OAuthError } from './errors.js';
import type { Params } from './params.js';
import { matchRedirectUri, type RegisteredRedirectUri } from './redirect_uri.js';

/** What is still needed of it while the person is asked. */
export interface LogoutRequest {
  /** The client that asks, if it said so. */
  readonly client_id: string | null;
  /** Where the browser goes afterwards, as registered for that client; checked again when it is used. */
  readonly post_logout_redirect_uri: string | null;
  readonly state: string | null;
  /** The session that a valid id_token_hint names, as its client knows it. */
  readonly hint_sid: string | null;
  readonly ui_locales: readonly string[];
}

export interface LogoutHint {
  readonly client_id: string;
  readonly sid: string | null;
}

/** Names the client of a request. Throws `invalid_request` where client_id and the hint's audience differ (§2). */
export function requestingClientId(params: Params, hint: LogoutHint | undefined): string | null {
  const client_id = params.get('client_id') ?? null;
  if (client_id !== null && hint !== undefined && hint.client_id !== client_id) {
    throw new OAuthError('invalid_request', 'client_id is not the audience of id_token_hint');
  }
  return hint?.client_id ?? client_id;
}

/** Reads the rest. A post_logout_redirect_uri without a client is ignored (§2); one that is not registered throws, as a page. */
export function parseLogoutRequest(
  params: Params,
  hint: LogoutHint | undefined,
  client: { readonly client_id: string; readonly post_logout_redirect_uris: readonly string[] } | undefined,
): LogoutRequest {
  const wanted = params.get('post_logout_redirect_uri');
  const post_logout_redirect_uri =
    wanted === undefined || client === undefined
      ? null
      : registeredLogoutUri(wanted, client.post_logout_redirect_uris);
  return {
    client_id: client?.client_id ?? null,
    post_logout_redirect_uri,
    state: params.get('state') ?? null,
    hint_sid: hint?.sid ?? null,
    ui_locales: parseLocales(params.get('ui_locales')),
  };
}

/** Throws `invalid_request` naming what is registered. */
export function registeredLogoutUri(wanted: string, registered: readonly string[]): RegisteredRedirectUri {
  const matched = matchRedirectUri(registered, wanted, { any_loopback_port: false });
  if (matched !== undefined) return matched;
  const check = 'post_logout_redirect_uri must equal a registered one, character for character';
  throw new OAuthError('invalid_request', 'post_logout_redirect_uri is not registered for this client', {
    failed: { check, received: wanted, expected: registered },
  });
}
