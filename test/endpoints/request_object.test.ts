/** Requests in request objects, by value and by reference, at the authorization endpoint and pushed. RFC 9101; protocol.md §13. */
import { CompactEncrypt, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { rotateDueKeys } from '../../src/actions/keys.js';
import type { Environment } from '../../src/config.js';
import { jwsAlgs } from '../../src/oauth/algorithms.js';
import { type ClientKey, newClientKey, unsigned } from '../support/assertion.js';
import { answerOf, ask, codeOf, expectErrorPage, signedInBrowser } from '../support/authorize.js';
import { goodRequest, redeem } from '../support/flow.js';
import { type Form, type IdpOptions, type JsonAnswer, redirect_uri, startIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { come, push, pushed } from '../support/pushed.js';
import { type ObjectChanges, requestObject } from '../support/request_object.js';

const key = await newClientKey('ES256');
const foreign = await newClientKey('ES256');

/** What stands beside an object at least. */
const bare: Form = {
  ...{ response_type: undefined, redirect_uri: undefined, scope: undefined, state: undefined },
  ...{ code_challenge: undefined, code_challenge_method: undefined },
};

async function start({ metadata = {}, ...options }: IdpOptions & { metadata?: object } = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  const shop = await idp.addClient({ jwks: { keys: [key.jwk] }, ...metadata }, 'shop');
  const browser = await signedInBrowser(idp);
  const object = (changes: ObjectChanges = {}, by: ClientKey = key) =>
    requestObject(idp, 'shop', by, changes);
  return {
    ...{ idp, shop, browser, object },
    /** Asks with an object and nothing else, unless something stands beside it. */
    send: (request: string, outside: Form = {}) => ask(browser, 'shop', { ...bare, request, ...outside }),
  };
}

describe('by value', () => {
  test.each(jwsAlgs)('an object signed with %s leads to a code (JAR-01)', async (alg) => {
    const own = await newClientKey(alg);
    const { idp, shop, object, send } = await start({ metadata: { jwks: { keys: [own.jwk] } } });
    const page = await send(await object({ claims: { state: 'inside', nonce: 'n' } }, own));
    expect(answerOf(page)).toMatchObject({ state: 'inside', iss: idp.issuer });
    expect((await redeem(idp, shop, codeOf(page))).status).toBe(200);
  });

  test.each<[string, (own: string) => string | Promise<string>]>([
    ['is signed by another key', () => requestObject({ issuer: 'x', now: () => 0 }, 'shop', foreign)],
    ['is not signed (alg none)', () => unsigned({ alg: 'none' }, { ...goodRequest, client_id: 'shop' })],
    [
      'has a changed payload',
      (own) => `${own.split('.')[0]}.${unsigned({}, goodRequest).split('.')[1]}.${own.split('.')[2]}`,
    ],
    ['has a MAC of the public key', () => unsigned({ alg: 'HS256', kid: 'k1' }, goodRequest, 'AAAA')],
    [
      'has a crit that is unknown',
      () => unsigned({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 }, {}, 'AAAA'),
    ],
    ['is no JWT', () => 'x'],
    ['has four parts', (own) => `${own}.x`],
    ['is a JWE to nobody', () => 'a.b.c.d.e'],
  ])('one that %s: invalid_request_object (JAR-01)', async (_, make) => {
    const { idp, object, send } = await start();
    const request = await make(await object());
    expect(answerOf(await send(request, { redirect_uri, state: 's9' }))).toEqual({
      error: 'invalid_request_object',
      error_description: expect.any(String),
      error_uri: `${idp.issuer}/errors#invalid_request_object`,
      state: 's9',
      iss: idp.issuer,
    });
    expectErrorPage(await send(request));
    expectErrorPage(await send(request, { redirect_uri: 'https://evil.example/' }));
  });

  test.each<[string, object, ObjectChanges, string | undefined]>([
    ['the registered algorithm', { request_object_signing_alg: 'ES256' }, {}, undefined],
    [
      'another than the registered one',
      { request_object_signing_alg: 'PS256' },
      {},
      'invalid_request_object',
    ],
  ])('with %s: %s (JAR-01)', async (_, metadata, changes, error) => {
    const { object, send } = await start({ metadata });
    expect(answerOf(await send(await object(changes), { redirect_uri })).error).toBe(error);
  });

  test('of a client without keys, or signed with the key of another client: invalid_request_object', async () => {
    const { idp, browser } = await start();
    await idp.addClient({}, 'blog');
    const request = await requestObject(idp, 'blog', key);
    const page = await ask(browser, 'blog', { request });
    expect(answerOf(page).error).toBe('invalid_request_object');
  });

  test('outer parameters fill the gaps, inner ones win (JAR-04)', async () => {
    const { object, send } = await start();
    const request = await object({ claims: { state: undefined } });
    expect(answerOf(await send(request, { state: 'outside' })).state).toBe('outside');
    expect(answerOf(await send(await object(), { state: 'outside' })).state).toBe('s1');
  });

  test('the redirect URI inside decides, and an unregistered one is a page (JAR-08)', async () => {
    const { object, send } = await start({
      metadata: { redirect_uris: [redirect_uri, 'https://shop.example/2'] },
    });
    const other = await object({ claims: { redirect_uri: 'https://shop.example/2' } });
    expect((await send(other, { redirect_uri })).headers.get('location')).toMatch(
      /^https:\/\/shop.example\/2\?/,
    );
    const evil = await object({ claims: { redirect_uri: 'https://evil.example/' } });
    expectErrorPage(await send(evil, { redirect_uri }));
  });

  test('every check of a request is made of what is inside', async () => {
    const { object, send } = await start();
    const wrong = await object({ claims: { response_type: 'x' } });
    expect(answerOf(await send(wrong)).error).toBe('unsupported_response_type');
    const registration = await object({ claims: { registration: {} } });
    expect(answerOf(await send(registration)).error).toBe('registration_not_supported');
  });

  test('may come by POST, and with pages in between', async () => {
    const { idp, object } = await start();
    const request = await object({ claims: { prompt: 'login' } });
    const page = await ask(idp.browser(), 'shop', { ...bare, request }, 'POST');
    expect(page.html).toContain('name="password"');
  });

  test.each(['RSA-OAEP-256', 'ECDH-ES'])('may be encrypted to our %s key (JAR-02)', async (alg) => {
    const { idp, object, send } = await start();
    await rotateDueKeys(idp.deps, idp.now());
    const { keys } = (await (await idp.fetch('/jwks')).json()) as JsonAnswer['body'];
    const jwk = keys.find((one: { use: string; alg: string }) => one.use === 'enc' && one.alg === alg);
    const encrypted = await new CompactEncrypt(new TextEncoder().encode(await object()))
      .setProtectedHeader({ alg, enc: 'A256GCM', kid: jwk.kid, cty: 'JWT' })
      .encrypt(await importJWK(jwk, alg));
    expect(codeOf(await send(encrypted))).not.toBe('');
  });
});

describe('of a client that must sign', () => {
  const must = { require_signed_request_object: true };

  test.each<[string, object, Record<string, string>]>([
    ['by its registration', must, {}],
    ['by a setting', {}, { REQUIRE_SIGNED_REQUESTS: 'true' }],
  ])(
    '%s, a request without an object is invalid_request, also pushed (JAR-09)',
    async (_, metadata, settings) => {
      const { idp, shop, browser, object, send } = await start({ metadata, settings });
      expect(answerOf(await ask(browser, 'shop'))).toMatchObject({ error: 'invalid_request', state: 's1' });
      const { status, body } = await push(idp, shop);
      expect([status, body.error]).toEqual([400, 'invalid_request']);
      expect(codeOf(await send(await object()))).not.toBe('');
    },
  );

  test('only what is inside counts (JAR-04)', async () => {
    const { object, send } = await start({ metadata: must });
    const request = await object({ claims: { state: undefined } });
    expect(Object.keys(answerOf(await send(request, { state: 'outside', prompt: 'none login' })))).toEqual([
      'code',
      'iss',
    ]);
    expectErrorPage(await send(await object({ claims: { redirect_uri: undefined } }), { redirect_uri }));
    expectErrorPage(await send('x', { redirect_uri }));
  });
});

describe('pushed', () => {
  test('an object is the whole of the request (RFC 9126 §3)', async () => {
    const { idp, shop, browser, object } = await start();
    const form = { ...bare, state: 'outside', request: await object({ claims: { state: undefined } }) };
    const page = await come(browser, 'shop', await pushed(idp, shop, form));
    expect(Object.keys(answerOf(page))).toEqual(['code', 'iss']);
  });

  test('one that is wrong: 400 invalid_request_object (PAR-02)', async () => {
    const { idp, shop, object } = await start();
    for (const request of [
      'x',
      await object({}, foreign),
      await object({ claims: { request_uri: 'urn:x' } }),
    ]) {
      const { status, body } = await push(idp, shop, { request });
      expect([status, body.error]).toEqual([400, 'invalid_request_object']);
    }
  });
});

describe('by reference', () => {
  const uri = 'https://shop.example/request.jwt';
  const type = 'application/oauth-authz-req+jwt';

  interface Fetching {
    readonly metadata?: object;
    readonly settings?: Environment;
    readonly content_type?: string;
    readonly body?: string;
  }

  async function startFetching(options: Fetching = {}) {
    const table = replies();
    const { outbound } = table;
    const fetched: typeof outbound = {
      ...outbound,
      fetch: async (request) => ({
        ...(await outbound.fetch(request)),
        content_type: options.content_type ?? type,
      }),
    };
    const started = await start({
      metadata: { request_uris: [uri], ...options.metadata },
      settings: { REQUEST_URI: 'registered', ...options.settings },
      substitutes: { outbound: fetched },
    });
    const serve = async (changes: ObjectChanges = {}) =>
      table.set(uri, Buffer.from(options.body ?? (await started.object(changes))));
    await serve();
    const send = (request_uri: string, outside: Form = {}) =>
      ask(started.browser, 'shop', { ...bare, request_uri, ...outside });
    return { ...started, table, serve, send };
  }

  test('an object is fetched from a registered address (JAR-07)', async () => {
    const { send, table } = await startFetching();
    expect(codeOf(await send(uri))).not.toBe('');
    expect(table.asked).toEqual([uri]);
  });

  test('each time, unless a fragment names its version; a new one is fetched again (JAR-07)', async () => {
    const { send, serve, table } = await startFetching();
    await send(uri);
    await serve({ claims: { state: 'two' } });
    expect(answerOf(await send(uri)).state).toBe('two');
    expect(answerOf(await send(`${uri}#v2`)).state).toBe('two');
    await serve({ claims: { state: 'three' } });
    expect(answerOf(await send(`${uri}#v2`)).state).toBe('two');
    expect(answerOf(await send(`${uri}#v3`)).state).toBe('three');
    expect(table.asked).toEqual([uri, uri, uri, uri]);
  });

  test('and a version is kept for an hour', async () => {
    const { idp, send, table, browser } = await startFetching();
    await send(`${uri}#v1`);
    idp.advance(3600);
    await send(`${uri}#v1`);
    expect([table.asked.length, browser.cookies.size > 0]).toEqual([2, true]);
  });

  test.each<[string, string]>([
    ['is not registered', 'https://shop.example/other.jwt'],
    ['is of another server', 'https://evil.example/request.jwt'],
    ['has another query', `${uri}?x=1`],
    ['is longer than 512 characters', `${uri}#${'x'.repeat(512)}`],
  ])('an address that %s: invalid_request_uri, and nothing is fetched (JAR-07)', async (_, request_uri) => {
    const { send, table } = await startFetching();
    expect(answerOf(await send(request_uri, { redirect_uri })).error).toBe('invalid_request_uri');
    expectErrorPage(await send(request_uri));
    expect(table.asked).toEqual([]);
  });

  test.each([
    ['cannot be reached', undefined, type],
    ['is of another type', 'x.y.z', 'text/html'],
  ])('an object that %s: invalid_request_uri (JAR-07)', async (_, body, content_type) => {
    const { send, table } = await startFetching({ content_type, ...(body !== undefined && { body }) });
    if (body === undefined) table.remove(uri);
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('invalid_request_uri');
  });

  test('an object that is signed by another: invalid_request_object (JAR-07)', async () => {
    const { send, table, object } = await startFetching();
    table.set(uri, Buffer.from(await object({}, foreign)));
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('invalid_request_object');
  });

  test('beside one by value: invalid_request (AUT-16)', async () => {
    const { send, object } = await startFetching();
    const both = { request: await object(), redirect_uri };
    expect(answerOf(await send(uri, both)).error).toBe('invalid_request');
  });

  test('is off unless a setting says otherwise: request_uri_not_supported (AUT-16)', async () => {
    const { browser } = await start({ metadata: { request_uris: [uri] } });
    const page = await ask(browser, 'shop', { request_uri: uri });
    expect(answerOf(page).error).toBe('request_uri_not_supported');
  });

  test('is off where every request must be pushed, and nothing is fetched (AUT-16, DSC-07)', async () => {
    const { send, table } = await startFetching({ settings: { REQUIRE_PUSHED_REQUESTS: 'true' } });
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('request_uri_not_supported');
    expect(table.asked).toEqual([]);
  });
});

test.each<[string, Environment, boolean]>([
  ['off', { REQUEST_URI: 'off' }, false],
  ['registered', { REQUEST_URI: 'registered' }, true],
  ['registered, but all are pushed', { REQUEST_URI: 'registered', REQUIRE_PUSHED_REQUESTS: 'true' }, false],
])(
  'discovery says what can be done with request objects: by reference %s (DSC-11, DSC-12)',
  async (_, settings, on) => {
    const idp = await startIdp({ settings });
    const path = '/.well-known/openid-configuration';
    const metadata = (await (await idp.fetch(path)).json()) as JsonAnswer['body'];
    expect(metadata).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: on,
      require_request_uri_registration: on,
      require_signed_request_object: false,
      request_object_signing_alg_values_supported: jwsAlgs,
    });
    expect(metadata.request_object_signing_alg_values_supported).not.toContain('none');
  },
);
