import { describe, expect, test } from 'vitest';
import {
  type AuthorizationRequest,
  parseAuthorizationRequest,
  type RequestContext,
  readReplyTo,
  registeredRedirectUri,
  replyNow,
  requestedRedirectUri,
  stillAllowed,
} from '../../src/oauth/authorization_request.js';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { OAuthError } from '../../src/oauth/errors.js';
import { parseParams } from '../../src/oauth/params.js';
import { promptsOf } from '../../src/oauth/prompt.js';
import { responseTypeNames } from '../../src/oauth/response_types.js';
import { goodRequest } from '../support/flow.js';
import { code_challenge, type Form, formBody, redirect_uri } from '../support/idp.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const prompts = promptsOf('closed');

function client(metadata: object = {}) {
  const usual = {
    client_name: 'Shop',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid email offline_access orders:read',
  };
  const parsed = parseClientMetadata(
    { ...usual, ...metadata },
    { allow_loopback_http: false, response_types: responseTypeNames },
  );
  return { ...parsed, client_id: 'shop' };
}

const paramsOf = (changes: Form) => parseParams(formBody({ ...goodRequest, ...changes }).toString());

function parse(changes: Form = {}, metadata: object = {}, context: Partial<RequestContext> = {}) {
  const params = paramsOf(changes);
  const requesting = client(metadata);
  return parseAuthorizationRequest(params, {
    client: requesting,
    reply: readReplyTo(params, registeredRedirectUri(redirect_uri, requesting), requesting, prompts),
    prompts,
    response_types: responseTypeNames,
    hint_sub: null,
    claims_supported: new Set(['sub', 'email']),
    resources: new Set(['https://api.example/Orders', 'urn:example:api']),
    ...context,
  });
}

describe('an authorization request', () => {
  test('comes out as what is still needed of it', () => {
    expect(
      parse({ nonce: 'n', max_age: '60', prompt: 'consent login', login_hint: 'ada', display: 'popup' }),
    ).toEqual({
      client_id: 'shop',
      redirect_uri,
      response_type: 'code',
      response_mode: 'query',
      state: 's1',
      scope: ['openid'],
      ignored_scope: [],
      nonce: 'n',
      code_challenge,
      prompt: ['login', 'consent'],
      acr_values: [],
      max_age: 60,
      ui_locales: [],
      login_hint: 'ada',
      hint_sub: null,
      claims: { userinfo: {}, id_token: {} },
      resource: [],
      pushed: null,
    });
  });

  test.each([
    ['response_type is missing (AUT-06)', { response_type: undefined }, 'invalid_request'],
    ['response_type is unknown (AUT-06)', { response_type: 'kode' }, 'unsupported_response_type'],
    ['response_type is token (AUT-06, BCP-03)', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type is none, not registered (AUT-06)', { response_type: 'none' }, 'unauthorized_client'],
    [
      'response_type is code id_token, not registered (AUT-06)',
      { response_type: 'code id_token' },
      'unauthorized_client',
    ],
    [
      'response_type is id_token code, not registered (AUT-06)',
      { response_type: 'id_token code' },
      'unauthorized_client',
    ],
    ['response_type is code code', { response_type: 'code code' }, 'unsupported_response_type'],
    ['response_type is in capitals', { response_type: 'CODE' }, 'unsupported_response_type'],
    ['response_mode is unknown', { response_mode: 'pigeon' }, 'invalid_request'],
    ['response_mode is sent twice', { response_mode: ['query', 'query'] }, 'invalid_request'],
    ['registration is sent (AUT-16)', { registration: '{}' }, 'registration_not_supported'],
    ['scope holds a quote', { scope: 'open"id' }, 'invalid_scope'],
    ['scope is sent twice (HTTP-06)', { scope: ['openid', 'email'] }, 'invalid_request'],
    ['scope is too long', { scope: 'x'.repeat(2049) }, 'invalid_request'],
    ['state is sent twice (HTTP-06)', { state: ['a', 'b'] }, 'invalid_request'],
    ['state is too long', { state: 'x'.repeat(2049) }, 'invalid_request'],
    ['nonce is too long', { nonce: 'x'.repeat(2049) }, 'invalid_request'],
    [
      'code_challenge is missing (AUT-15)',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['code_challenge_method is missing', { code_challenge_method: undefined }, 'invalid_request'],
    ['code_challenge_method is plain (AUT-14)', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['prompt is unknown (INT-02)', { prompt: 'create' }, 'invalid_request'],
    ['prompt is none with another (INT-02)', { prompt: 'none login' }, 'invalid_request'],
    ['max_age is negative (AUT-21)', { max_age: '-1' }, 'invalid_request'],
    ['max_age is a fraction (AUT-21)', { max_age: '1.5' }, 'invalid_request'],
    ['max_age is a word (AUT-21)', { max_age: 'soon' }, 'invalid_request'],
    ['max_age is hexadecimal', { max_age: '0x10' }, 'invalid_request'],
    ['max_age has an exponent', { max_age: '1e3' }, 'invalid_request'],
    ['max_age has a sign', { max_age: '+1' }, 'invalid_request'],
    ['max_age has a space', { max_age: ' 1' }, 'invalid_request'],
    ['max_age is beyond all time', { max_age: '9'.repeat(400) }, 'invalid_request'],
    ['claims is no JSON (AUT-17)', { claims: '{' }, 'invalid_request'],
    ['resource is unknown (RSI-01)', { resource: 'https://other.example' }, 'invalid_target'],
    ['one of two resources is unknown', { resource: ['urn:example:api', 'urn:example:x'] }, 'invalid_target'],
    ['resource is relative (RSI-01)', { resource: '/orders' }, 'invalid_target'],
    ['resource has a fragment (RSI-01)', { resource: 'urn:example:api#x' }, 'invalid_target'],
  ])('is refused when %s', (_, changes, error) => {
    expect(refusalOf(() => parse(changes))).toBe(error);
  });

  test('of a client without the code grant is unauthorized_client (RFC 6749 §4.1.2.1, AUT-06)', () => {
    expect(refusalOf(() => parse({}, { grant_types: ['client_credentials'] }))).toBe('unauthorized_client');
  });

  test.each([
    ['display', { display: ['page', 'hologram'] }],
    ['ui_locales', { ui_locales: 'tlh xx-not-a-tag-at-all' }],
    ['claims_locales', { claims_locales: '???' }],
    ['acr_values', { acr_values: 'urn:no:such:acr' }],
    ['login_hint', { login_hint: '"><script>' }],
    ['anything unknown', { utm_source: ['a', 'b'], __proto__x: 'y' }],
  ])('%s never causes an error (protocol.md AUT-08, AUT-18)', (_, changes) => {
    expect(refusalOf(() => parse(changes))).toBeNull();
  });

  test('an empty parameter is as good as none (RFC 6749 §3.1, HTTP-07)', () => {
    const empty = { state: '', nonce: '', prompt: '', max_age: '', claims: '', resource: '', login_hint: '' };
    expect(parse({ ...empty, request: '', registration: '' })).toEqual(parse({ state: undefined }));
  });
});

describe('the scope of a request', () => {
  test.each([
    ['what is not registered is left out', 'openid phone email', ['openid', 'email']],
    ['what is unknown is left out (AUT-07)', 'openid make:coffee', ['openid']],
    ['order does not matter (AUT-07)', 'email openid', ['email', 'openid']],
    ['none at all', undefined, []],
    ['offline_access stays with openid (INT-14)', 'openid offline_access', ['openid', 'offline_access']],
    ['offline_access alone is nothing (INT-14)', 'offline_access', []],
    ['plain OAuth', 'orders:read', ['orders:read']],
  ])('%s', (_, scope, kept) => {
    expect(parse({ scope }).scope).toEqual(kept);
  });

  test('offline_access is ignored for a client without refresh tokens (OpenID Connect Core §11, INT-14)', () => {
    const { scope } = parse({ scope: 'openid offline_access' }, { grant_types: ['authorization_code'] });
    expect(scope).toEqual(['openid']);
  });
});

describe('what the registration adds (OpenID Connect Registration §2)', () => {
  test.each([
    [undefined, undefined, null],
    [undefined, 300, 300],
    ['60', 300, 60],
    ['600', 300, 600],
    ['0', 300, 0],
    [undefined, 0, 0],
    ['0042', undefined, 42],
  ])('max_age %s with default_max_age %s is %s (INT-06)', (max_age, default_max_age, expected) => {
    expect(parse({ max_age }, { default_max_age }).max_age).toBe(expected);
  });

  test.each([
    [{ token_endpoint_auth_method: 'none' }, 'invalid_request'],
    [{ require_pkce: true }, 'invalid_request'],
    [{ require_pkce: false }, null],
  ])('without a code_challenge, registered with %j: %s (decisions 24, AUT-15)', (metadata, error) => {
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    expect(refusalOf(() => parse(without, metadata))).toBe(error);
  });

  test('a challenge that is sent although it need not be is kept', () => {
    expect(parse({}, { require_pkce: false }).code_challenge).toBe(code_challenge);
  });
});

describe('where an answer goes', () => {
  const uri = registeredRedirectUri(redirect_uri, client());

  const usual = { redirect_uri, response_mode: 'query', state: 's1', ui_locales: [] };
  test.each([
    ['query by itself', {}, {}],
    ['query', { response_mode: 'query' }, {}],
    ['form_post', { response_mode: 'form_post' }, { response_mode: 'form_post' }],
    ['an unknown mode: the default', { response_mode: 'pigeon' }, {}],
    ['two modes: the default', { response_mode: ['form_post', 'query'] }, {}],
    ['no state', { state: undefined }, { state: null }],
    ['two states: none', { state: ['a', 'b'] }, { state: null }],
    ['a state that is too long: none, never a cut one', { state: 'x'.repeat(2049) }, { state: null }],
    ['languages', { ui_locales: 'de not_a_tag' }, { ui_locales: ['de'] }],
    ['two lists of languages: none', { ui_locales: ['de', 'fr'] }, {}],
  ])('is known before the rest is believed: %s', (_, changes, reply) => {
    expect(readReplyTo(paramsOf(changes), uri, client(), prompts)).toEqual({ ...usual, ...reply });
  });

  test('a redirect URI that is missing is named (protocol.md AUT-03)', () => {
    const missing = () => requestedRedirectUri(paramsOf({ redirect_uri: undefined }), client());
    expect([refusalOf(missing), descriptionOf(missing)]).toEqual([
      'invalid_request',
      'redirect_uri is missing',
    ]);
  });

  test('one that is not registered is told with what is', () => {
    const requested = 'https://shop.example/cb/';
    let error: unknown;
    try {
      requestedRedirectUri(paramsOf({ redirect_uri: requested }), client());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OAuthError);
    expect(error).toMatchObject({ failed: { received: requested, expected: [redirect_uri] } });
  });

  test('only a native client may come back on another port (AUT-04)', () => {
    const local = { redirect_uris: ['http://127.0.0.1/cb'], application_type: 'native' };
    const requested = 'http://127.0.0.1:5000/cb';
    expect(registeredRedirectUri(requested, client(local))).toBe(requested);
    const web = { ...client(local), application_type: 'web' as const };
    expect(refusalOf(() => registeredRedirectUri(requested, web))).toBe('invalid_request');
  });
});

describe('a request that was under way while the registration changed (hardening 22)', () => {
  const under_way = parse({ scope: 'openid email offline_access orders:read' });
  const front = {
    grant_types: ['authorization_code', 'implicit'],
    response_types: ['code', 'code id_token'],
  };
  const now = (request: AuthorizationRequest, metadata: object = {}, response_types = responseTypeNames) =>
    stillAllowed(request, { client: client(metadata), response_types }, 1000);

  test('goes on as it was where nothing changed', () => {
    expect(now(under_way)).toEqual(under_way);
  });

  test('loses the words that were taken away', () => {
    expect(now(under_way, { scope: 'openid' })).toMatchObject({
      scope: ['openid'],
      ignored_scope: ['email', 'offline_access', 'orders:read'],
    });
    expect(now(under_way, { grant_types: ['authorization_code'] }).scope).toEqual([
      'openid',
      'email',
      'orders:read',
    ]);
  });

  test('is refused where the client lost the grant, or must use PKCE now', () => {
    const lost = { grant_types: ['client_credentials'] };
    expect(refusalOf(() => now(under_way, lost))).toBe('unauthorized_client');
    const without = { ...under_way, code_challenge: null };
    expect(refusalOf(() => now(without))).toBe('invalid_request');
    expect(refusalOf(() => now(without, { require_pkce: false }))).toBeNull();
  });

  test('is refused where its response type was switched off, in whatever the client is registered for', () => {
    const asked = parse({ response_type: 'code id_token', nonce: 'n' }, front);
    expect(refusalOf(() => now(asked, front))).toBeNull();
    expect(refusalOf(() => now(asked, front, ['code']))).toBe('unsupported_response_type');
  });

  test('carries no token in a query once the client has no key to encrypt it to; the refusal goes by the fragment', () => {
    const to = { authorization_encrypted_response_alg: 'ECDH-ES', jwks_uri: 'https://shop.example/jwks' };
    const encrypts = { ...front, ...to };
    const asked = parse({ response_type: 'code id_token', response_mode: 'query.jwt', nonce: 'n' }, encrypts);
    expect(now(asked, encrypts)).toEqual(asked);
    expect(replyNow(asked, client(encrypts)).response_mode).toBe('query.jwt');
    expect(refusalOf(() => now(asked, front))).toBe('invalid_request');
    expect(replyNow(asked, client(front)).response_mode).toBe('fragment.jwt');
  });
});
