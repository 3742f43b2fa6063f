/**
 * The authorization request, checked and without effects, in two halves: until the client and its redirect URI are known good
 * an error is a page, from then on it goes back to the client. RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1; RFC 8707 §2.
 */
import { type ClaimsRequest, parseClaimsRequest } from './claims_request.js';
import type { ClientMetadata } from './client_metadata.js';
import { mustUsePkce } from './client_rules.js';
import { OAuthError } from './errors.js';
import type { Params } from './params.js';
import { parseChallenge } from './pkce.js';
import { type Prompt, parsePrompt } from './prompt.js';
import { matchRedirectUri, type RegisteredRedirectUri } from './redirect_uri.js';
import { parseResources } from './resource.js';
import { intersect, parseScope, scopeWords } from './scope.js';
import { parseLocales } from './translations.js';

type ResponseMode = 'query' | 'form_post';

/** What a request asks for, as far as it is still needed. Travels sealed while a person is asked something (decisions 11). */
export interface AuthorizationRequest {
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly response_mode: ResponseMode;
  readonly state: string | null;
  /** What is asked for and may be had: words that are unknown or not registered for the client are left out. */
  readonly scope: readonly string[];
  readonly nonce: string | null;
  readonly code_challenge: string | null;
  readonly prompt: readonly Prompt[];
  readonly max_age: number | null;
  readonly login_hint: string | null;
  /** The languages that the person reads, the best first: what an application is called may differ. */
  readonly ui_locales: readonly string[];
  /** The subject of id_token_hint. */
  readonly hint_sub: string | null;
  readonly claims: ClaimsRequest;
  readonly resource: readonly string[];
  /** For a request that was pushed: the digest of its reference, and until when it can be completed. */
  readonly pushed: { readonly reference_hash: string; readonly until: number } | null;
}

export type RequestingClient = ClientMetadata & { readonly client_id: string };

/** Where an answer goes: known before anything else of the request is believed. */
export interface ReplyTo {
  readonly redirect_uri: RegisteredRedirectUri;
  readonly response_mode: ResponseMode;
  readonly state: string | null;
}

/** The redirect URI of the request. Throws `invalid_request` that must be shown as a page. */
export function requestedRedirectUri(params: Params, client: RequestingClient): RegisteredRedirectUri {
  return registeredRedirectUri(params.require('redirect_uri'), client);
}

/** The same for a request that comes out of a seal: the client may have changed since. */
export function registeredRedirectUri(redirect_uri: string, client: RequestingClient): RegisteredRedirectUri {
  const native = client.application_type === 'native';
  const matched = matchRedirectUri(client.redirect_uris, redirect_uri, { any_loopback_port: native });
  if (matched !== undefined) return matched;
  const failed = {
    check: 'redirect_uri must equal a registered redirect URI, character for character',
    received: redirect_uri,
    expected: client.redirect_uris,
  };
  throw new OAuthError('invalid_request', 'redirect_uri is not registered for this client', { failed });
}

/** state and response_mode, read first so that every later error can be sent back. A bad one falls back to its default. */
export function readReplyTo(params: Params, redirect_uri: RegisteredRedirectUri): ReplyTo {
  const attempt = (name: string) => {
    try {
      return params.get(name);
    } catch {
      return undefined; // it is refused by parseAuthorizationRequest, whose error this is needed for
    }
  };
  const response_mode = attempt('response_mode') === 'form_post' ? 'form_post' : 'query';
  return { redirect_uri, response_mode, state: attempt('state') ?? null };
}

export interface RequestContext {
  readonly client: RequestingClient;
  readonly reply: ReplyTo;
  /** The subject of the id_token_hint, already verified. */
  readonly hint_sub: string | null;
  /** The names that `claims` may ask for: those there are, as far as the client's scope reaches. */
  readonly claims_supported: ReadonlySet<string>;
  /** The identifiers that resource may name. */
  readonly resources: ReadonlySet<string>;
}

/** Checks all other parameters. What it throws is sent to the client. */
export function parseAuthorizationRequest(params: Params, context: RequestContext): AuthorizationRequest {
  const { client, reply } = context;
  refuseUnsupported(params);
  assertResponseType(params, client);
  const prompt = parsePrompt(params.get('prompt'));
  const scope = parseScope(params.get('scope'));
  return {
    client_id: client.client_id,
    redirect_uri: reply.redirect_uri,
    response_mode: reply.response_mode,
    state: params.get('state') ?? null,
    scope: scopeFor(client, scope),
    nonce: params.get('nonce') ?? null,
    code_challenge: parseChallenge(
      params.get('code_challenge'),
      params.get('code_challenge_method'),
      mustUsePkce(client),
    ),
    prompt: [...prompt],
    max_age: parseMaxAge(params.get('max_age')) ?? client.default_max_age ?? null,
    login_hint: params.get('login_hint') ?? null,
    ui_locales: parseLocales(params.get('ui_locales')),
    hint_sub: context.hint_sub,
    claims: parseClaimsRequest(params.get('claims'), context.claims_supported),
    resource: parseResources(params, context.resources),
    pushed: null,
  };
}

/**
 * A request that was under way, as the client may make it now: its registration may have changed since (hardening row 22). Throws
 * `invalid_request_uri` where it was pushed too long ago.
 */
export function stillAllowed(
  request: AuthorizationRequest,
  client: RequestingClient,
  now: number,
): AuthorizationRequest {
  if (request.pushed !== null && request.pushed.until <= now)
    throw new OAuthError('invalid_request_uri', 'the pushed request has expired');
  assertCodeGrant(client);
  if (request.code_challenge === null) parseChallenge(undefined, undefined, mustUsePkce(client));
  return { ...request, scope: scopeFor(client, request.scope) };
}

function refuseUnsupported(params: Params): void {
  if (params.has('registration'))
    throw new OAuthError('registration_not_supported', 'registration is not supported');
  const response_mode = params.get('response_mode');
  if (response_mode !== undefined && response_mode !== 'query' && response_mode !== 'form_post') {
    throw new OAuthError('invalid_request', 'response_mode must be query or form_post');
  }
}

function assertResponseType(params: Params, client: RequestingClient): void {
  if (params.require('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code');
  }
  assertCodeGrant(client);
}

function assertCodeGrant(client: RequestingClient): void {
  if (!client.grant_types.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', 'this client is not registered for response_type code');
  }
}

/**
 * The words that are registered for the client. offline_access does nothing without refresh tokens, and is then ignored
 * (OpenID Connect Core §11).
 */
function scopeFor(client: RequestingClient, wanted: readonly string[]): readonly string[] {
  const scope = intersect(wanted, scopeWords(client.scope));
  const useful = client.grant_types.includes('refresh_token') && scope.includes('openid');
  return useful ? scope : scope.filter((word) => word !== 'offline_access');
}

function parseMaxAge(max_age: string | undefined): number | undefined {
  if (max_age === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(max_age))
    throw new OAuthError('invalid_request', 'max_age must be a whole number of seconds');
  return Number(max_age);
}
