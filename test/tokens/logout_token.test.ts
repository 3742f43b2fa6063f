import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { readHint } from '../../src/tokens/id_token.js';
import { signLogoutToken } from '../../src/tokens/logout_token.js';
import { startShop } from '../support/shop.js';

async function start() {
  const shop = await startShop();
  const { idp } = shop;
  const ring = await idp.deps.keys.get();
  const request = { client: shop.shop.client, user_id: shop.user.id, sid: 'the-session' };
  const sign = () => signLogoutToken({ ...idp.deps, ring }, request, idp.now());
  return { ...shop, ring, sign };
}

describe('a logout token (Back-Channel Logout §2.4)', () => {
  test('has exactly the claims of the specification, and no nonce (BCL-02)', async () => {
    const { idp, user, sign } = await start();
    expect(decodeJwt(await sign())).toEqual({
      iss: idp.issuer,
      sub: user.id,
      aud: 'shop',
      iat: idp.now(),
      exp: idp.now() + 120,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      sid: 'the-session',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
  });

  test('is of the type logout+jwt and verifies with the published keys, by the ID token’s algorithm (BCL-02)', async () => {
    const { idp, sign } = await start();
    const logout_token = await sign();
    const published = (await (await idp.fetch('/jwks')).json()) as JSONWebKeySet;
    const { protectedHeader } = await jwtVerify(logout_token, createLocalJWKSet(published), {
      issuer: idp.issuer,
      audience: 'shop',
      typ: 'logout+jwt',
      algorithms: ['RS256'],
      currentDate: new Date(idp.now() * 1000),
    });
    expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
    expect(decodeProtectedHeader(logout_token).typ).toBe('logout+jwt');
  });

  test('has a jti of its own each time it is signed, so that a retry is no replay', async () => {
    const { sign } = await start();
    const ids = await Promise.all(Array.from({ length: 20 }, async () => decodeJwt(await sign()).jti));
    expect(new Set(ids).size).toBe(20);
  });

  test('is taken for nothing else: no hint, no access token (JAT-02)', async () => {
    const { idp, ring, browser, tokens, sign } = await start();
    await tokens();
    const logout_token = await sign();
    expect(await readHint(ring, idp.issuer, logout_token, idp.now())).toBeUndefined();
    expect((await idp.userinfo(logout_token)).status).toBe(401);
    const page = await browser.get(`/logout?id_token_hint=${logout_token}`);
    expect(page.html).toContain('Sign out?');
  });
});
