/** POST /par and what the browser makes of its references. RFC 9126; protocol.md §12. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { assertionOf, client_assertion_type, newClientKey } from '../support/assertion.js';
import { answerOf, ask, codeOf, countIn, countRows, kindOf, signedInBrowser } from '../support/authorize.js';
import { goodRequest } from '../support/flow.js';
import { basic, type Form, post, redirect_uri, startIdp } from '../support/idp.js';
import { come, push, pushed } from '../support/pushed.js';
import { publicClient, startShop } from '../support/shop.js';

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
