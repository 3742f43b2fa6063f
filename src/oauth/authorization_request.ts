/**
 * The authorization request, checked and without effects, in two halves: until the client and its redirect URI are known good
 * an error is a page, from then on it goes back to the client. RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1; RFC 8707 §2.
 */
import { parseLocales } from '../languages/tags.js';
import { acrs } from './acr.js';
import { type ClaimsRequest, parseClaimsRequest } from './claims_request.js';
import type { ClientMetadata } from './client_metadata.js';
import { mustUsePkce, responseTypesOf } from './client_rules.js';
import { OAuthError } from './errors.js';
import type { Params } from './params.js';
import { parseChallenge } from './pkce.js';
import { assertPromptSupported, type Prompt, parsePrompt } from './prompt.js';
import { matchRedirectUri, type RegisteredRedirectUri } from './redirect_uri.js';
import { parseResources } from './resource.js';
import { chooseResponseMode, modeForRefusal, type ResponseMode } from './response_mode.js';
import { canonicalResponseType, type ResponseTypeName, responseTypes } from './response_types.js';
import { intersect, parseScope, scopeWords, without } from './scope.js';

/** What a request asks for, as far as it is still needed. Travels sealed while a person is asked something (decisions 11). */
export interface AuthorizationRequest {
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly response_type: ResponseTypeName;
  readonly response_mode: ResponseMode;
  readonly state: string | null;
  /** What is asked for and may be had: words that are unknown or not registered for the client are left out. */
  readonly scope: readonly string[];
  /** The words that are left out: a refresh that repeats them does not ask for more (protocol.md §30.4). */
  readonly ignored_scope: readonly string[];
  readonly nonce: string | null;
  readonly code_challenge: string | null;
  readonly prompt: readonly Prompt[];
  readonly max_age: number | null;
  /** How strongly the person should sign in, as far as we know the words; voluntary. */
  readonly acr_values: readonly string[];
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

const longest_acr_values = 2048;

export type RequestingClient = ClientMetadata & { readonly client_id: string };

/** Where an answer goes: known before anything else of the request is believed. */
export interface ReplyTo {
  readonly redirect_uri: RegisteredRedirectUri;
  readonly response_mode: ResponseMode;
  readonly state: string | null;
  /** For where a page carries it. */
  readonly ui_locales: readonly string[];
}

/** The redirect URI of the request. Throws `invalid_request` that must be shown as a page. */
export function requestedRedirectUri(params: Params, client: RequestingClient): RegisteredRedirectUri {
  return registeredRedirectUri(params.require('redirect_uri'), client);
}

/** The same for one that comes out of a seal: the client may have changed since. */
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

/**
 * state, response_mode and ui_locales, read first so that every later error can be sent back. A bad one falls back to its default. Throws
 * `invalid_request` for a prompt that there is not, which is told by a page.
 */
export function readReplyTo(
  params: Params,
  redirect_uri: RegisteredRedirectUri,
  client: RequestingClient,
  prompts: readonly Prompt[],
): ReplyTo {
  const attempt = (name: string) => {
    try {
      return params.get(name);
    } catch {
      return undefined; // it is refused by parseAuthorizationRequest, whose error this is needed for
    }
  };
  assertPromptSupported(attempt('prompt'), prompts);
  const asked = attempt('response_mode');
  const response_mode = modeOfReply(asked, attempt('response_type') ?? '', client);
  return {
    ...{ redirect_uri, response_mode },
    state: attempt('state') ?? null,
    ui_locales: parseLocales(attempt('ui_locales')),
  };
}

/** The mode of an answer, whatever was asked for: where that cannot be it is refused in another one. */
function modeOfReply(
  asked: string | undefined,
  response_type: string,
  client: RequestingClient,
): ResponseMode {
  try {
    return chooseResponseMode(asked, response_type, encryptsResponses(client));
  } catch {
    return modeForRefusal(asked, response_type); // refused by parseAuthorizationRequest or stillAllowed, too
  }
}

/** Where the answer to a request goes that comes out of a seal. Throws like registeredRedirectUri. */
export function replyNow(request: AuthorizationRequest, client: RequestingClient): ReplyTo {
  const { redirect_uri, response_mode, response_type, state, ui_locales } = request;
  return {
    redirect_uri: registeredRedirectUri(redirect_uri, client),
    response_mode: modeOfReply(response_mode, response_type, client),
    ...{ state, ui_locales },
  };
}

function encryptsResponses(client: RequestingClient): boolean {
  return client.authorization_encrypted_response_alg !== undefined;
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
  /** The response types that are switched on. */
  readonly response_types: readonly ResponseTypeName[];
  /** The values of prompt that are supported. */
  readonly prompts: readonly Prompt[];
}

/** Checks all other parameters. What it throws is sent to the client. */
export function parseAuthorizationRequest(params: Params, context: RequestContext): AuthorizationRequest {
  const { client, reply } = context;
  refuseUnsupported(params);
  const response_type = parseResponseType(params, context);
  const { code, id_token } = responseTypes[response_type];
  const prompt = parsePrompt(params.get('prompt'), context.prompts);
  const asked = parseScope(params.get('scope'));
  const scope = scopeFor(client, asked, response_type);
  const nonce = params.get('nonce') ?? null;
  if (id_token) assertIdToken(scope, nonce);
  if (asked.length > 0 && intersect(asked, scopeWords(client.scope)).length === 0)
    throw new OAuthError('invalid_scope', 'nothing of scope can be granted to this client');
  return {
    client_id: client.client_id,
    redirect_uri: reply.redirect_uri,
    response_type,
    response_mode: chooseResponseMode(params.get('response_mode'), response_type, encryptsResponses(client)),
    state: params.get('state') ?? null,
    scope,
    ignored_scope: without(asked, scope),
    nonce,
    code_challenge: parseChallenge(
      params.get('code_challenge'),
      params.get('code_challenge_method'),
      code && mustUsePkce(client),
    ),
    prompt: [...prompt],
    max_age: parseMaxAge(params.get('max_age')) ?? client.default_max_age ?? null,
    acr_values: parseAcrValues(params.get('acr_values'), client.default_acr_values),
    login_hint: params.get('login_hint') ?? null,
    ui_locales: parseLocales(params.get('ui_locales')),
    hint_sub: context.hint_sub,
    claims: parseClaimsRequest(params.get('claims'), context.claims_supported),
    resource: parseResources(params, context.resources),
    pushed: null,
  };
}

/**
 * A request that was under way, as the client may make it now: its registration, and what the server has switched on, may have changed
 * since (hardening row 22). Throws `invalid_request_uri` where it was pushed too long ago.
 */
export function stillAllowed(
  request: AuthorizationRequest,
  { client, response_types }: Pick<RequestContext, 'client' | 'response_types'>,
  now: number,
): AuthorizationRequest {
  if (request.pushed !== null && request.pushed.until <= now)
    throw new OAuthError('invalid_request_uri', 'the pushed request has expired');
  const { response_type, response_mode, code_challenge } = request;
  assertSwitchedOn(response_type, response_types);
  assertRegistered(response_type, client);
  chooseResponseMode(response_mode, response_type, encryptsResponses(client));
  const { code, id_token } = responseTypes[response_type];
  if (code_challenge === null) parseChallenge(undefined, undefined, code && mustUsePkce(client));
  const scope = scopeFor(client, request.scope, response_type);
  if (id_token) assertIdToken(scope, request.nonce);
  return { ...request, scope, ignored_scope: [...request.ignored_scope, ...without(request.scope, scope)] };
}

function refuseUnsupported(params: Params): void {
  if (params.has('registration'))
    throw new OAuthError('registration_not_supported', 'registration is not supported');
}

/** Throws `unsupported_response_type` for what is unknown or off, `unauthorized_client` for what the client is not registered for. */
function parseResponseType(params: Params, { client, response_types }: RequestContext): ResponseTypeName {
  const response_type = canonicalResponseType(params.require('response_type'));
  assertSwitchedOn(response_type, response_types);
  assertRegistered(response_type, client);
  return response_type;
}

function assertSwitchedOn(
  response_type: ResponseTypeName | undefined,
  response_types: readonly ResponseTypeName[],
): asserts response_type is ResponseTypeName {
  if (response_type !== undefined && response_types.includes(response_type)) return;
  const expected = response_types.join(', ');
  throw new OAuthError('unsupported_response_type', `response_type must be one of ${expected}`);
}

function assertRegistered(response_type: ResponseTypeName, client: RequestingClient): void {
  if (responseTypesOf(client).includes(response_type)) return;
  throw new OAuthError(
    'unauthorized_client',
    `this client is not registered for response_type ${response_type}`,
  );
}

/** What an ID token needs that travels through the browser: to be asked for by scope, and bound to the client's session. Core §3.2.2.1. */
function assertIdToken(scope: readonly string[], nonce: string | null): void {
  if (!scope.includes('openid'))
    throw new OAuthError('invalid_request', 'response_type asks for an ID token, but scope lacks openid');
  if (nonce === null)
    throw new OAuthError('invalid_request', 'nonce is missing: it binds the ID token of the response');
}

/**
 * The words that are registered for the client. offline_access does nothing without refresh tokens, which a code alone leads to, and is
 * then ignored (OpenID Connect Core §11).
 */
function scopeFor(
  client: RequestingClient,
  wanted: readonly string[],
  response_type: ResponseTypeName,
): readonly string[] {
  const scope = intersect(wanted, scopeWords(client.scope));
  const useful =
    responseTypes[response_type].code &&
    client.grant_types.includes('refresh_token') &&
    scope.includes('openid');
  return useful ? scope : scope.filter((word) => word !== 'offline_access');
}

/** Words that we do not know are left out: they never cause an error (§15.1). */
function parseAcrValues(
  acr_values: string | undefined,
  otherwise: readonly string[] = [],
): readonly string[] {
  const words = acr_values?.slice(0, longest_acr_values).split(' ') ?? otherwise;
  return acrs.filter((acr) => words.includes(acr)).sort((a, b) => words.indexOf(a) - words.indexOf(b));
}

function parseMaxAge(max_age: string | undefined): number | undefined {
  if (max_age === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(max_age))
    throw new OAuthError('invalid_request', 'max_age must be a whole number of seconds');
  return Number(max_age);
}
