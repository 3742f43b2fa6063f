/** POST /par and what the browser makes of its references. RFC 9126; protocol.md §12. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { deleteExpired } from '../../src/store/expired.js';
import { assertionOf, client_assertion_type, newClientKey } from '../support/assertion.js';
import {
  answerOf,
  ask,
  codeOf,
  countIn,
  countRows,
  expectErrorPage,
  kindOf,
  signedInBrowser,
} from '../support/authorize.js';
import { engines } from '../support/database.js';
import { goodRequest, redeem, responseOf, signIn } from '../support/flow.js';
import { basic, type Form, post, redirect_uri, startIdp } from '../support/idp.js';
import { come, push, pushed } from '../support/pushed.js';
import { atOnce, publicClient, startShop } from '../support/shop.js';

const kinds = [
  ['a confidential client', {}],
  ['a public client', publicClient],
] as const;

describe('the endpoint', () => {
  test.each(kinds)('gives %s a reference that is not to be guessed (PAR-01)', async (_, metadata) => {
    const { idp, shop } = await startShop({ metadata });
    const answers = [await push(idp, shop), await push(idp, shop)];
    for (const { status, headers, body } of answers) {
      expect([status, headers.get('cache-control'), headers.get('content-type')]).toEqual([
        201,
        'no-store',
        'application/json; charset=utf-8',
      ]);
      expect(body).toEqual({ request_uri: expect.any(String), expires_in: 60 });
      expect(body.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w.-]{43,}$/);
    }
    expect(answers[0]?.body.request_uri).not.toBe(answers[1]?.body.request_uri);
  });

  test('keeps the reference of a confidential client short, and as a digest alone', async () => {
    const { idp, shop } = await startShop();
    const { request_uri } = (await push(idp, shop, { state: 'x'.repeat(2048), claims: '{"userinfo":{}}' }))
      .body;
    expect(request_uri.length).toBeLessThan(100);
  });

  test('writes nothing for who has proved nothing (design §1.2)', async () => {
    const { idp, shop } = await startShop({ metadata: publicClient });
    const before = await countRows(idp);
    for (let again = 0; again < 3; again += 1) await push(idp, shop);
    await post(`${idp.url}/par`, { ...goodRequest }, basic('shop', 'wrong'));
    expect(await countRows(idp)).toEqual(before);
  });

  test('nor for a client that registered itself, though it has a secret', async () => {
    const idp = await startIdp({ settings: { CLIENT_REGISTRATION: 'open' } });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ redirect_uris: [redirect_uri] });
    const registered = await (await idp.fetch('/register', { method: 'POST', headers, body })).json();
    const { client_id, client_secret } = registered as { client_id: string; client_secret: string };
    const before = await countIn(idp, 'pushed_requests');
    const answer = await post(`${idp.url}/par`, { ...goodRequest }, basic(client_id, client_secret));
    expect([answer.status, await countIn(idp, 'pushed_requests')]).toEqual([201, before]);
    expect(kindOf(await come(idp.browser(), client_id, answer.body.request_uri))).toBe('/login');
  });

  test('takes every way of client authentication that the token endpoint takes, and its own URL as aud (PAR-01, CLA-08)', async () => {
    const idp = await startIdp();
    const key = await newClientKey('ES256');
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } };
    await idp.addClient(keys, 'batch');
    for (const aud of [idp.issuer, `${idp.issuer}/token`, `${idp.issuer}/par`]) {
      const client_assertion = await assertionOf(idp, 'batch', key, { claims: { aud } });
      const form = { ...goodRequest, client_assertion_type, client_assertion };
      expect((await post(`${idp.url}/par`, form)).status).toBe(201);
    }
    const named = await idp.addClient({ token_endpoint_auth_method: 'client_secret_post' }, 'posting');
    const form = { ...goodRequest, client_id: 'posting', client_secret: named.client_secret ?? '' };
    expect((await post(`${idp.url}/par`, form)).status).toBe(201);
  });

  test.each<[string, string, Form]>([
    ['redirect_uri is missing', 'invalid_request', { redirect_uri: undefined }],
    ['redirect_uri is not registered (PAR-10)', 'invalid_request', { redirect_uri: 'https://evil.example/' }],
    ['response_type is missing', 'invalid_request', { response_type: undefined }],
    ['response_type is unknown', 'unsupported_response_type', { response_type: 'x' }],
    ['scope is malformed', 'invalid_scope', { scope: '"' }],
    ['PKCE is absent', 'invalid_request', { code_challenge: undefined, code_challenge_method: undefined }],
    ['PKCE is plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['state is sent twice', 'invalid_request', { state: ['a', 'b'] }],
    ['prompt is unknown', 'invalid_request', { prompt: 'create' }],
    ['resource is unknown', 'invalid_target', { resource: 'https://api.example' }],
    ['id_token_hint is none of ours', 'invalid_request', { id_token_hint: 'x.y.z' }],
    ['request_uri is sent (PAR-03)', 'invalid_request', { request_uri: 'urn:x' }],
    ['client_id is another', 'invalid_client', { client_id: 'other' }],
  ])('refuses at once where %s: %s (PAR-02)', async (_, error, changes) => {
    const { idp, shop } = await startShop();
    const { status, headers, body } = await push(idp, shop, changes);
    expect([status, body.error]).toEqual([error === 'invalid_client' ? 401 : 400, error]);
    expect([headers.get('cache-control'), headers.get('location')]).toEqual(['no-store', null]);
  });

  test('refuses a wrong secret with 401, another method with 405, another type with 400 (PAR-02)', async () => {
    const { idp } = await startShop();
    const wrong = await post(`${idp.url}/par`, { ...goodRequest }, basic('shop', 'wrong'));
    expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client']);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, headers } = await idp.fetch('/par', { method });
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'POST']);
    }
    const json = { 'content-type': 'application/json' };
    expect((await idp.fetch('/par', { method: 'POST', body: '{}', headers: json })).status).toBe(400);
  });

  test('refuses what is too large with 413, before and after it was read (PAR-02)', async () => {
    const { idp, shop } = await startShop();
    expect((await push(idp, shop, { x: 'x'.repeat(65_536) })).status).toBe(413);
    const values = Array.from({ length: 20 }, () => randomBytes(300).toString('hex'));
    const claims = JSON.stringify({ id_token: { email: { values } } });
    const { status, body } = await push(idp, shop, { claims });
    expect([status, body.error]).toEqual([413, 'invalid_request']);
    expect(body.error_description).toContain('claims');
  });

  test('answers 429 when too many of a client wait, and not for others (PAR-02)', async () => {
    const { idp, shop } = await startShop({ settings: { PUSHED_REQUESTS_PER_CLIENT: '3' } });
    const other = await idp.addClient({}, 'other');
    for (let i = 0; i < 3; i += 1) expect((await push(idp, shop)).status).toBe(201);
    const { status, headers, body } = await push(idp, shop);
    expect([status, headers.get('retry-after'), body.error]).toEqual([429, '60', 'temporarily_unavailable']);
    expect((await push(idp, other)).status).toBe(201);
    idp.advance(60);
    expect((await push(idp, shop)).status).toBe(201);
  });

  test('is in discovery, and says whether it must be used (DSC-14)', async () => {
    for (const [setting, required] of [
      ['false', false],
      ['true', true],
    ] as const) {
      const idp = await startIdp({ settings: { REQUIRE_PUSHED_REQUESTS: setting } });
      const metadata = await (await idp.fetch('/.well-known/openid-configuration')).json();
      expect(metadata).toMatchObject({
        pushed_authorization_request_endpoint: `${idp.issuer}/par`,
        require_pushed_authorization_requests: required,
      });
    }
  });
});

describe.each(engines)('on %s, a reference', (engine) => {
  test.each(kinds)('of %s leads to a code for what was pushed (PAR-05)', async (_, metadata) => {
    const { idp, shop, browser } = await startShop({ engine, metadata });
    const request_uri = await pushed(idp, shop, { state: 'inside', nonce: 'n1' });
    const page = await signIn(browser, await come(browser, 'shop', request_uri));
    expect(responseOf(page)).toMatchObject({ state: 'inside', iss: idp.issuer });
    expect((await redeem(idp, shop, codeOf(page))).status).toBe(200);
  });

  test.each(kinds)(
    'of %s is used when the authorization completes, not when its page is loaded (PAR-07)',
    async (_, metadata) => {
      const { idp, shop, browser } = await startShop({ engine, metadata });
      const request_uri = await pushed(idp, shop);
      for (let again = 0; again < 3; again += 1)
        expect(kindOf(await come(browser, 'shop', request_uri))).toBe('/login');
      const page = await come(browser, 'shop', request_uri);
      expect(codeOf(await signIn(browser, page))).not.toBe('');
      expect(answerOf(await come(browser, 'shop', request_uri))).toMatchObject({
        error: 'invalid_request_uri',
        state: 's1',
      });
      // Back to the login page: what was sealed there is used, too.
      expect(answerOf(await signIn(browser, page))).toMatchObject({ error: 'invalid_request_uri' });
    },
  );

  test.each(kinds)('of %s has one winner (PAR-07)', async (_, metadata) => {
    const { idp, shop } = await startShop({ engine, metadata });
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, shop);
    const answers = await atOnce(10, async () => answerOf(await come(browser, 'shop', request_uri)));
    expect(answers.filter(({ code }) => code !== undefined)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_request_uri')).toHaveLength(9);
  });

  test.each(kinds)(
    'of %s that was used is remembered as long as a page of it can be open',
    async (_, metadata) => {
      const { idp, shop, browser } = await startShop({ engine, metadata });
      const login = await come(browser, 'shop', await pushed(idp, shop));
      await signIn(browser, login);
      for (const seconds of [50, 800, 2700]) {
        idp.advance(seconds);
        await deleteExpired(idp.db, idp.now());
        expect(answerOf(await signIn(browser, login))).toMatchObject({ error: 'invalid_request_uri' });
      }
      idp.advance(200);
      await deleteExpired(idp.db, idp.now());
      expect(answerOf(await signIn(browser, login))).toMatchObject({ error: 'invalid_request_uri' });
      expect(await countIn(idp, 'pushed_requests')).toBe(0);
    },
  );
});

describe('a reference', () => {
  test.each<[string, Form]>([
    ['state', { state: 'outside' }],
    ['nonce', { nonce: 'outside' }],
    ['redirect_uri', { redirect_uri: 'https://evil.example/' }],
    ['scope', { scope: 'openid email' }],
    ['response_type', { response_type: 'x' }],
    ['all of it', { ...goodRequest, state: 'outside' }],
  ])('counts, and %s beside it does not (PAR-05)', async (_, beside) => {
    const { idp, shop } = await startShop();
    const browser = await signedInBrowser(idp);
    const page = await come(browser, 'shop', await pushed(idp, shop, { state: undefined }), beside);
    expect(page.headers.get('location')).toMatch(`${redirect_uri}?code=`);
    expect(Object.keys(answerOf(page))).toEqual(['code', 'iss']);
  });

  test('may come by POST', async () => {
    const { idp, shop } = await startShop();
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, shop);
    expect(codeOf(await browser.post('/authorize', { client_id: 'shop', request_uri }))).not.toBe('');
  });

  test.each(kinds)('of %s is no other client’s (PAR-04)', async (_, metadata) => {
    const { idp, shop } = await startShop({ metadata });
    await idp.addClient({}, 'other');
    const browser = await signedInBrowser(idp);
    expectErrorPage(await come(browser, 'other', await pushed(idp, shop)));
  });

  test.each(['', 'x', 'x'.repeat(43), `${'x'.repeat(22)}.${'x'.repeat(100)}`, 'x'.repeat(9000)])(
    'that is unknown gives a page (PAR-06): %s',
    async (reference) => {
      const { idp } = await startShop();
      const request_uri = `urn:ietf:params:oauth:request_uri:${reference}`;
      expectErrorPage(await come(idp.browser(), 'shop', request_uri, { ...goodRequest }));
    },
  );

  test.each(kinds)(
    'of %s that has expired: the client is told, as long as it is known where (PAR-06)',
    async (_, metadata) => {
      const { idp, shop } = await startShop({ metadata });
      const request_uri = await pushed(idp, shop);
      idp.advance(59);
      expect(kindOf(await come(idp.browser(), 'shop', request_uri))).toBe('/login');
      idp.advance(1);
      expect(answerOf(await come(idp.browser(), 'shop', request_uri))).toMatchObject({
        error: 'invalid_request_uri',
        state: 's1',
        iss: idp.issuer,
      });
      idp.advance(100);
      await deleteExpired(idp.db, idp.now());
      const later = await come(idp.browser(), 'shop', request_uri);
      if (metadata === publicClient) expect(answerOf(later).error).toBe('invalid_request_uri');
      else expectErrorPage(later);
    },
  );

  test('lives as long as the setting says', async () => {
    const { idp, shop } = await startShop({ settings: { PUSHED_REQUEST_SECONDS: '5' } });
    expect((await push(idp, shop)).body.expires_in).toBe(5);
  });

  test('may be answered long after it was loaded: the person takes their time', async () => {
    const { idp, shop, browser } = await startShop();
    const login = await come(browser, 'shop', await pushed(idp, shop));
    idp.advance(600);
    await deleteExpired(idp.db, idp.now());
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('beside a request object: invalid_request (AUT-16)', async () => {
    const { idp, shop } = await startShop();
    const page = await come(idp.browser(), 'shop', await pushed(idp, shop), { request: 'e30.e30.' });
    expect(answerOf(page)).toMatchObject({ error: 'invalid_request', state: 's1' });
  });

  test('says no more than the client may do now (hardening 22)', async () => {
    const { idp, shop } = await startShop();
    const request_uri = await pushed(idp, shop);
    await updateClient(idp.deps, 'shop', { redirect_uris: ['https://shop.example/new'] }, idp.now());
    expectErrorPage(await come(idp.browser(), 'shop', request_uri));
  });
});

describe('who must push (PAR-08)', () => {
  test.each<[string, object, Record<string, string>]>([
    ['a client that is registered so', { require_pushed_authorization_requests: true }, {}],
    ['everybody, by a setting', {}, { REQUIRE_PUSHED_REQUESTS: 'true' }],
  ])('%s: a direct request is invalid_request', async (_, metadata, settings) => {
    const { idp, shop } = await startShop({ metadata, settings });
    const browser = await signedInBrowser(idp);
    expect(answerOf(await ask(browser, 'shop'))).toMatchObject({ error: 'invalid_request', state: 's1' });
    expect(codeOf(await come(browser, 'shop', await pushed(idp, shop)))).not.toBe('');
  });
});
