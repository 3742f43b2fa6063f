import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { getCode, redeem } from '../support/flow.js';
import { basic, type Form, redirect_uri } from '../support/idp.js';
import { eventsOf, publicClient, startShop, withoutPkce } from '../support/shop.js';

describe('grant_type=authorization_code', () => {
  test('gives Bearer tokens that nobody may keep a copy of (RFC 6749 §5.1, HTTP-08, HTTP-09, TOK-01)', async () => {
    const shop = await startShop();
    const { status, headers, body } = await shop.redeem(await shop.code({ scope: 'openid email' }));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'openid email',
      refresh_token: expect.any(String),
      id_token: expect.any(String),
    });
  });

  test('gives tokens of visible ASCII (RFC 6749 §A.12, §A.17, TOK-03)', async () => {
    const { access_token, refresh_token, id_token } = await (await startShop()).tokens();
    for (const token of [access_token, refresh_token, id_token]) expect(token).toMatch(/^[\x21-\x7e]+$/);
  });

  test('gives an ID token to an OpenID request alone (COD-07)', async () => {
    const shop = await startShop();
    const { body } = await shop.redeem(await shop.code({ scope: 'email' }));
    expect([body.id_token, body.scope]).toEqual([undefined, 'email']);
    expect(decodeJwt(body.access_token).scope).toBe('email');
  });

  test('gives a refresh token to clients that registered the grant alone (INT-14)', async () => {
    const shop = await startShop({ metadata: { grant_types: ['authorization_code'] } });
    expect((await shop.tokens({ scope: 'openid offline_access' })).refresh_token).toBeUndefined();
  });
});

describe('a code is bound to its request, which must be repeated exactly (COD-01)', () => {
  test.each<[string, Form, string]>([
    ['grant_type is missing (TOK-02)', { grant_type: undefined }, 'invalid_request'],
    ['grant_type is empty', { grant_type: '' }, 'invalid_request'],
    ['grant_type is sent twice', { grant_type: ['authorization_code', 'refresh_token'] }, 'invalid_request'],
    ['grant_type is unknown (TOK-02)', { grant_type: 'authorization-code' }, 'unsupported_grant_type'],
    ['grant_type is password (BCP-09)', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['grant_type is one of Object.prototype', { grant_type: '__proto__' }, 'unsupported_grant_type'],
    ['grant_type is not registered (TOK-02)', { grant_type: 'client_credentials' }, 'unauthorized_client'],
    ['code is missing', { code: undefined }, 'invalid_request'],
    ['code is empty', { code: '' }, 'invalid_request'],
    ['code is unknown (COD-02)', { code: 'x'.repeat(43) }, 'invalid_grant'],
    ['code is longer than any of ours', { code: 'x'.repeat(16_385) }, 'invalid_request'],
    ['redirect_uri is missing (COD-04)', { redirect_uri: undefined }, 'invalid_grant'],
    [
      'redirect_uri is another registered one (COD-04)',
      { redirect_uri: 'https://shop.example/cb2' },
      'invalid_grant',
    ],
    ['redirect_uri has a slash more (COD-04)', { redirect_uri: `${redirect_uri}/` }, 'invalid_grant'],
    ['redirect_uri has another case', { redirect_uri: 'https://shop.example/CB' }, 'invalid_grant'],
    ['redirect_uri names the port', { redirect_uri: 'https://shop.example:443/cb' }, 'invalid_grant'],
    ['redirect_uri is sent twice', { redirect_uri: [redirect_uri, redirect_uri] }, 'invalid_request'],
    ['code_verifier is missing (COD-05)', { code_verifier: undefined }, 'invalid_grant'],
    ['code_verifier is empty', { code_verifier: '' }, 'invalid_grant'],
    ['code_verifier is wrong (COD-05)', { code_verifier: 'a'.repeat(43) }, 'invalid_grant'],
    [
      'code_verifier is the challenge itself (plain)',
      { code_verifier: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' },
      'invalid_grant',
    ],
    ['code_verifier has 42 characters (COD-08)', { code_verifier: 'a'.repeat(42) }, 'invalid_grant'],
    ['code_verifier has 129 characters (COD-08)', { code_verifier: 'a'.repeat(129) }, 'invalid_grant'],
    ['code_verifier has a space', { code_verifier: `${'a'.repeat(43)} ` }, 'invalid_grant'],
    ['resource is unknown (RSI-01)', { resource: 'https://api.example' }, 'invalid_target'],
  ])('refuses when %s, and the code is not spent by that', async (_, change, error) => {
    const shop = await startShop({ metadata: { redirect_uris: [redirect_uri, 'https://shop.example/cb2'] } });
    const code = await shop.code();
    const refused = await shop.redeem(code, change);
    expect([refused.status, refused.body.error]).toEqual([400, error]);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect((await shop.redeem(code)).status).toBe(200);
  });

  test('an unknown parameter is ignored (RFC 6749 §3.2, HTTP-07)', async () => {
    const shop = await startShop();
    const { status } = await shop.redeem(await shop.code(), { prompt: 'x', 'weird name': ['1', '2'] });
    expect(status).toBe(200);
  });

  test.each([
    [59, 200],
    [60, 400],
  ])('%i seconds after the code was given: %i (COD-02)', async (seconds, status) => {
    const shop = await startShop();
    const code = await shop.code();
    shop.idp.advance(seconds);
    const answer = await shop.redeem(code);
    expect([answer.status, answer.body.error]).toEqual([
      status,
      status === 200 ? undefined : 'invalid_grant',
    ]);
  });

  test('a code that expired unused is no replay: nothing is revoked', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    const code = await shop.code();
    shop.idp.advance(61);
    await shop.redeem(code);
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
    expect(await eventsOf(shop.idp, 'code_replayed')).toEqual([]);
  });

  test('its lifetime is a setting', async () => {
    const shop = await startShop({ settings: { CODE_SECONDS: '5' } });
    const code = await shop.code();
    shop.idp.advance(5);
    expect((await shop.redeem(code)).body.error).toBe('invalid_grant');
  });
});

describe('PKCE', () => {
  test('a confidential client that need not use it may do without (protocol.md §30.1)', async () => {
    const shop = await startShop({ metadata: { require_pkce: false } });
    const { status } = await shop.redeem(await shop.code(withoutPkce), { code_verifier: undefined });
    expect(status).toBe(200);
  });

  test('a challenge that was sent is enforced even if the client need not use PKCE (decisions 24, AUT-14)', async () => {
    const shop = await startShop({ metadata: { require_pkce: false } });
    const { body } = await shop.redeem(await shop.code(), { code_verifier: undefined });
    expect(body.error).toBe('invalid_grant');
  });

  test('somebody takes the challenge out of the request; the verifier shows it, and the code is refused (hardening 6, COD-05, BCP-02)', async () => {
    const shop = await startShop({ metadata: { require_pkce: false } });
    const code = await shop.code(withoutPkce);
    const { status, body } = await shop.redeem(code);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('the answer does not say whether a stolen code exists before the verifier is right', async () => {
    const shop = await startShop();
    const code = await shop.code();
    await shop.redeem(code);
    const { body } = await shop.redeem(code, { code_verifier: 'a'.repeat(43) });
    expect(body.error_description).toBe('code_verifier does not match code_challenge');
  });
});

describe('somebody else presents the code (hardening 7)', () => {
  test.each([
    ['another confidential client', {}],
    ['a public client', publicClient],
  ])(
    '%s that stole code and verifier gets nothing, spends nothing and revokes nothing (COD-01, COD-02)',
    async (_, metadata) => {
      const shop = await startShop();
      const thief = await shop.idp.addClient(metadata, 'thief');
      const code = await shop.code();
      const stolen = await redeem(shop.idp, thief, code);
      expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);

      const { status, body } = await shop.redeem(code);
      expect(status).toBe(200);
      expect((await redeem(shop.idp, thief, code)).body.error).toBe('invalid_grant');
      expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
    },
  );

  test('a client with the id of the one and the secret of the other gets nothing (CLA-12)', async () => {
    const shop = await startShop();
    const thief = await shop.idp.addClient({}, 'thief');
    const form = { grant_type: 'authorization_code', code: await shop.code(), redirect_uri };
    const { status, body } = await shop.idp.token(form, basic('shop', thief.client_secret));
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('a failed client authentication does not spend the code (protocol.md §30.2)', async () => {
    const shop = await startShop();
    const code = await shop.code();
    const wrong = { ...shop.shop, client_secret: 'wrong' };
    expect((await redeem(shop.idp, wrong, code)).body.error).toBe('invalid_client');
    expect((await shop.redeem(code)).status).toBe(200);
  });

  test('two people of one client do not get each other (COD-01)', async () => {
    const shop = await startShop();
    const bob = await shop.idp.addUser({ email: 'bob@example.com', claims: { name: 'Bob' } });
    const other = shop.idp.browser();
    const page = await other.get('/login');
    await other.submit(page, { email: 'bob@example.com', password: 'correct horse battery staple' });
    const [mine, his] = [await shop.code(), await getCode(other, 'shop')];
    const subs = [mine, his].map(async (code) => decodeJwt((await shop.redeem(code)).body.id_token).sub);
    expect(await Promise.all(subs)).toEqual([shop.user.id, bob.id]);
  });
});

describe('what a client may do is asked again when the tokens are given (hardening 22)', () => {
  test('the grant was taken from it meanwhile', async () => {
    const shop = await startShop();
    const code = await shop.code();
    await updateClient(shop.idp.deps, 'shop', { grant_types: ['client_credentials'] }, shop.idp.now());
    const { status, body } = await shop.redeem(code);
    expect([status, body.error]).toEqual([400, 'unauthorized_client']);
  });

  test('refresh tokens were taken from it meanwhile', async () => {
    const shop = await startShop();
    const code = await shop.code();
    const { refresh_token } = await shop.tokens();
    await updateClient(shop.idp.deps, 'shop', { grant_types: ['authorization_code'] }, shop.idp.now());
    expect((await shop.redeem(code)).body.refresh_token).toBeUndefined();
    expect((await shop.refresh(refresh_token)).body.error).toBe('unauthorized_client');
  });
});
