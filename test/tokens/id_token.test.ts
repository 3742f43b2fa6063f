import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { authorizeUrl, responseOf, signIn } from '../support/flow.js';
import { startShop } from '../support/shop.js';

const claims = { name: 'Ada Lovelace', phone_number: '+44 20 7946 0000' };

describe('an ID token (OpenID Connect Core §2)', () => {
  test('says who signed in where, for whom and until when (IDT-01, IDT-10)', async () => {
    const { idp, user, tokens } = await startShop();
    const { id_token, access_token } = await tokens({ nonce: 'n1' });
    const half = createHash('sha256').update(access_token).digest().subarray(0, 16);
    expect(decodeJwt(id_token)).toEqual({
      iss: idp.issuer,
      sub: user.id,
      aud: 'shop',
      iat: idp.now(),
      exp: idp.now() + 600,
      auth_time: idp.now(),
      nonce: 'n1',
      acr: expect.stringMatching(/./),
      amr: ['pwd'],
      sid: expect.stringMatching(/^[\x21-\x7e]+$/),
      at_hash: half.toString('base64url'), // IDT-06
    });
  });

  test('is signed with RS256 by a key that its head names (IDT-02, protocol.md §30.5)', async () => {
    const { idp, tokens } = await startShop();
    const header = decodeProtectedHeader((await tokens()).id_token);
    const { keys } = JSON.parse(await (await idp.fetch('/jwks')).text());
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: keys[0].kid });
  });

  test.each(['n', 'a b+c%20&="\\', 'ünïcödé ☂', 'x'.repeat(2048)])(
    'gives the nonce back as it came: %.20s (IDT-04)',
    async (nonce) => {
      const { tokens } = await startShop();
      expect(decodeJwt((await tokens({ nonce })).id_token).nonce).toBe(nonce);
    },
  );

  test('has no nonce where none was sent (IDT-04)', async () => {
    const { tokens } = await startShop();
    for (const nonce of [undefined, ''])
      expect(decodeJwt((await tokens({ nonce })).id_token)).not.toHaveProperty('nonce');
  });

  test('auth_time is when the password was given, however much later the code (IDT-05)', async () => {
    const { idp, tokens } = await startShop();
    const signed_in_at = idp.now();
    await tokens();
    idp.advance(1000);
    expect(decodeJwt((await tokens({ max_age: '5000' })).id_token)).toMatchObject({
      auth_time: signed_in_at,
      iat: signed_in_at + 1000,
    });
  });

  test('auth_time moves where the password is given again', async () => {
    const { idp, browser, tokens, redeem } = await startShop();
    const before = decodeJwt((await tokens()).id_token);
    idp.advance(1000);
    const page = await browser.get(authorizeUrl('shop', { prompt: 'login' }));
    const { code = '' } = responseOf(await signIn(browser, page));
    const after = decodeJwt((await redeem(code)).body.id_token);
    expect(after.auth_time).toBe(Number(before.auth_time) + 1000);
    expect(after.sid).toBe(before.sid); // the same person again keeps the session (decisions 16)
  });

  test('sid is one per session, the same for every client (IDT-11)', async () => {
    const { browser, tokens } = await startShop();
    const sid = async () => decodeJwt((await tokens()).id_token).sid;
    const first = await sid();
    expect(await sid()).toBe(first);
    browser.cookies.clear();
    expect(await sid()).not.toBe(first);
  });

  test('its lifetime is a setting', async () => {
    const { tokens } = await startShop({ settings: { ID_TOKEN_SECONDS: '60' } });
    const { exp, iat } = decodeJwt((await tokens()).id_token);
    expect(Number(exp) - Number(iat)).toBe(60);
  });
});

describe('personal claims in the ID token (protocol.md §30.3)', () => {
  const scope = 'openid email profile phone';

  test('are those of the scope, for clients that an operator adds', async () => {
    const { user, tokens } = await startShop({ user: { claims } });
    expect(decodeJwt((await tokens({ scope })).id_token)).toMatchObject({
      email: 'ada@example.com',
      email_verified: true,
      updated_at: user.updated_at,
      ...claims,
      phone_number_verified: false,
    });
  });

  test('are none with id_token_claims=minimal (IDT-08)', async () => {
    const { tokens } = await startShop({ metadata: { id_token_claims: 'minimal' }, user: { claims } });
    const names = Object.keys(decodeJwt((await tokens({ scope })).id_token)).sort();
    const protocol = ['acr', 'amr', 'at_hash', 'aud', 'auth_time', 'exp', 'iat', 'iss', 'sid', 'sub'];
    expect(names).toEqual(protocol);
  });

  test('are those asked for by name, in both cases (IDT-08)', async () => {
    for (const id_token_claims of ['scope', 'minimal']) {
      const { tokens } = await startShop({ metadata: { id_token_claims }, user: { claims } });
      const asked = JSON.stringify({ id_token: { phone_number: null, auth_time: { essential: true } } });
      const said = decodeJwt((await tokens({ claims: asked })).id_token);
      expect([said.phone_number, said.name]).toEqual([claims.phone_number, undefined]);
      expect(said.auth_time).toBeTypeOf('number');
    }
  });

  test('never replace what the protocol says', async () => {
    const { user, tokens } = await startShop({ user: { claims } });
    const asked = JSON.stringify({ id_token: { iss: null, sub: null, aud: null, exp: null, acr: null } });
    expect(decodeJwt((await tokens({ claims: asked })).id_token)).toMatchObject({
      sub: user.id,
      aud: 'shop',
      acr: expect.any(String),
    });
  });

  test('have no null and no empty text among them (IDT-10)', async () => {
    const { tokens } = await startShop({ user: { claims: {} } });
    const said = decodeJwt((await tokens({ scope: 'openid profile email address phone' })).id_token);
    for (const value of Object.values(said)) expect([null, '']).not.toContain(value);
    expect(said).not.toHaveProperty('name');
  });
});
