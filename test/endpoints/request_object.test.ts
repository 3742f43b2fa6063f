/** Requests in request objects, by value and by reference, at the authorization endpoint and pushed. RFC 9101; protocol.md §13. */
import { CompactEncrypt, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { rotateDueKeys } from '../../src/actions/keys.js';
import { jwsAlgs } from '../../src/oauth/algorithms.js';
import { newClientKey, unsigned } from '../support/assertion.js';
import { answerOf, ask, codeOf, expectErrorPage } from '../support/authorize.js';
import { goodRequest, redeem } from '../support/flow.js';
import { type JsonAnswer, redirect_uri } from '../support/idp.js';
import { come, push, pushed } from '../support/pushed.js';
import { bare, type ObjectChanges, requestObject, startSigning } from '../support/request_object.js';

const key = await newClientKey('ES256');
const foreign = await newClientKey('ES256');
const start = (options: Parameters<typeof startSigning>[1] = {}) => startSigning(key, options);

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
