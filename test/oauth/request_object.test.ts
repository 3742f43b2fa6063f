import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { OAuthError } from '../../src/oauth/errors.js';
import { Params, parseParams } from '../../src/oauth/params.js';
import { profiles } from '../../src/oauth/profiles.js';
import { type ObjectRules, parametersOf } from '../../src/oauth/request_object.js';
import { assertTransport, mustBeComplete } from '../../src/oauth/request_transport.js';
import { type Form, formBody } from '../support/idp.js';
import { refusalOf } from '../support/refusal.js';

const issuer = 'https://id.example';
const now = 1_000_000;
const usual: ObjectRules = { client_id: 'shop', issuer, complete: false, longest_seconds: null, now };
const fapi: ObjectRules = { ...usual, complete: true, longest_seconds: 3600 };

const beside = (form: Form = {}) => parseParams(formBody(form).toString());
const inside = (claims: object, form: Form = {}, rules = usual, typ?: string) =>
  parametersOf({ typ, claims: claims as Record<string, unknown> }, beside(form), rules);
const refused = (claims: object, rules = usual, typ?: string) =>
  refusalOf(() => inside(claims, {}, rules, typ));

describe('a request object', () => {
  test.each([undefined, 'JWT', 'jwt', 'oauth-authz-req+jwt', 'application/oauth-authz-req+jwt'])(
    'is taken with typ %s (JAR-02)',
    (typ) => {
      expect(refused({ client_id: 'shop' }, usual, typ)).toBeNull();
    },
  );

  test.each(['at+jwt', 'logout+jwt', 'client-authentication+jwt', 'x', ''])(
    'is not taken with typ %s (JAR-06)',
    (typ) => {
      expect(refused({ client_id: 'shop' }, usual, typ)).toBe('invalid_request_object');
    },
  );

  test.each<[string, object]>([
    ['nothing that says for whom', {}],
    ['the client', { client_id: 'shop', iss: 'shop' }],
    ['the issuer as audience', { aud: issuer }],
    ['the issuer among others as audience', { aud: ['https://other.example', issuer] }],
    ['another subject', { sub: 'somebody' }],
    ['times that are right', { exp: now + 1, nbf: now, iat: now }],
    ['a clock that is ten seconds ahead', { nbf: now + 10, iat: now + 60 }],
    ['a claim that is null', { state: null }],
  ])('is taken with %s (JAR-03, JAR-05)', (_, claims) => {
    expect(refused(claims)).toBeNull();
  });

  test.each<[string, object]>([
    ['another client_id (JAR-03)', { client_id: 'other' }],
    ['client_id as a list', { client_id: ['shop'] }],
    ['another iss (JAR-03)', { iss: 'other' }],
    ['another aud (JAR-03)', { aud: 'https://other.example' }],
    ['the token endpoint as aud (JAR-03)', { aud: `${issuer}/token` }],
    ['the pushed request endpoint as aud (JAR-03)', { aud: [`${issuer}/par`] }],
    ['no audience in its list', { aud: [] }],
    ['request (JAR-06)', { request: 'x' }],
    ['request_uri (JAR-06)', { request_uri: 'urn:x' }],
    ['request that is null', { request: null }],
    ['the client as sub (JAR-06)', { sub: 'shop' }],
    ['exp that is now (JAR-05)', { exp: now }],
    ['exp in the past (JAR-05)', { exp: now - 1 }],
    ['exp as a text', { exp: String(now + 60) }],
    ['nbf in the future (JAR-05)', { nbf: now + 11 }],
    ['iat in the future', { iat: now + 61 }],
  ])('is refused with %s', (_, claims) => {
    expect(refused(claims)).toBe('invalid_request_object');
  });

  const good = { client_id: 'shop', aud: issuer, nbf: now, exp: now + 300 };
  test.each<[string, string | null, object]>([
    ['all that is required', null, {}],
    ['an hour', null, { nbf: now - 1800, exp: now + 1800 }],
    ['no client_id', 'invalid_request_object', { client_id: undefined }],
    ['no aud', 'invalid_request_object', { aud: undefined }],
    ['no exp', 'invalid_request_object', { exp: undefined }],
    ['no nbf', 'invalid_request_object', { nbf: undefined }],
    ['more than an hour', 'invalid_request_object', { exp: now + 3601 }],
    ['nbf more than an hour old', 'invalid_request_object', { nbf: now - 3601, exp: now + 1 }],
  ])('of a FAPI client with %s: %s (JAR-05)', (_, error, changes) => {
    expect(refused({ ...good, ...changes }, fapi)).toBe(error);
  });
});

describe('what counts of a request', () => {
  test('inner parameters win, outer ones fill the gaps (JAR-04)', () => {
    const params = inside({ state: 'in', scope: 'openid' }, { state: 'out', nonce: 'out', scope: 'email' });
    expect(['state', 'nonce', 'scope'].map((name) => params.get(name))).toEqual(['in', 'out', 'openid']);
  });

  test('of a complete object only what is inside (JAR-04)', () => {
    const rules = { ...usual, complete: true };
    const params = inside({ client_id: 'shop', scope: 'openid' }, { state: 'out', redirect_uri: 'x' }, rules);
    expect(['state', 'redirect_uri', 'scope'].map((name) => params.get(name))).toEqual([
      undefined,
      undefined,
      'openid',
    ]);
  });

  test('response_type is the same in both places (OpenID Connect Core §6.1)', () => {
    const types = (outer: string | undefined) =>
      refusalOf(() => inside({ response_type: 'code' }, { response_type: outer }));
    expect([types('code'), types(undefined), types('id_token')]).toEqual([
      null,
      null,
      'invalid_request_object',
    ]);
  });

  test('numbers, objects and lists are the parameters they stand for', () => {
    const params = inside({ max_age: 60, claims: { userinfo: { email: null } }, resource: ['a', 'b'] });
    expect(params.get('max_age')).toBe('60');
    expect(JSON.parse(params.get('claims') ?? '')).toEqual({ userinfo: { email: null } });
    expect(params.all('resource')).toEqual(['a', 'b']);
  });

  test('claims of the JWT itself are no parameters', () => {
    const params = inside({ iss: 'shop', aud: issuer, exp: now + 1, nbf: now, iat: now, jti: 'x', sub: 'y' });
    for (const name of ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub'])
      expect(params.get(name)).toBeUndefined();
  });

  test('any JSON is taken or refused, never more', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (claims, complete) => {
        try {
          const params = inside(claims, {}, { ...usual, complete });
          expect(params).toBeInstanceOf(Params);
          for (const name of ['state', 'scope', 'claims']) params.all(name);
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError);
        }
      }),
    );
  });
});

describe('how a request must come', () => {
  const keys = { jwks: { keys: [{ kty: 'EC' }] } };
  const client = (metadata: object) =>
    parseClientMetadata(
      { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'], ...keys, ...metadata },
      { allow_loopback_http: false },
    );
  const free = { REQUIRE_PUSHED_REQUESTS: false, REQUIRE_SIGNED_REQUESTS: false };
  const ways = [
    { signed: false, pushed: false },
    { signed: true, pushed: false },
    { signed: false, pushed: true },
    { signed: true, pushed: true },
  ];
  const allowed = (rules: Parameters<typeof assertTransport>[0], server = free) =>
    ways.map((way) => refusalOf(() => assertTransport(rules, server, way)) === null);

  test.each<[string, object, Partial<typeof free>, boolean[]]>([
    ['any way', {}, {}, [true, true, true, true]],
    [
      'pushed, by the client (PAR-08)',
      { require_pushed_authorization_requests: true },
      {},
      [false, false, true, true],
    ],
    ['pushed, by the server (PAR-08)', {}, { REQUIRE_PUSHED_REQUESTS: true }, [false, false, true, true]],
    [
      'signed, by the client (JAR-09)',
      { require_signed_request_object: true },
      {},
      [false, true, false, true],
    ],
    ['signed, by the server (JAR-09)', {}, { REQUIRE_SIGNED_REQUESTS: true }, [false, true, false, true]],
  ])('%s', (_, metadata, server, expected) => {
    expect(allowed(client(metadata), { ...free, ...server })).toEqual(expected);
  });

  test('follows from the profile: FAPI 1 signed or pushed, FAPI 2 pushed', () => {
    const of = (security_profile: keyof typeof profiles) => ({ ...client({}), security_profile });
    expect(allowed(of('fapi_1_advanced'))).toEqual([false, true, true, true]);
    expect(allowed(of('fapi_2'))).toEqual([false, false, true, true]);
    expect(
      Object.keys(profiles).map((name) => mustBeComplete(of(name as keyof typeof profiles), free)),
    ).toEqual([...[false, false, true, true]]);
  });
});
