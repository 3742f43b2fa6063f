import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateResource } from '../../src/actions/resources.js';
import { signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser } from '../../src/actions/users.js';
import { basic, type Form, post } from '../support/idp.js';
import { publicClient, type Shop, type ShopOptions, startShop } from '../support/shop.js';

const api = 'https://api.example';

async function start(options: ShopOptions = {}) {
  const shop = await startShop(options);
  await shop.idp.addResource(api, 'read');
  const { client_secret } = await shop.idp.addClient(
    { grant_types: ['client_credentials'], redirect_uris: [] },
    'shop-api',
  );
  await updateResource(shop.idp.deps, api, { client_id: 'shop-api' }, shop.idp.now());
  const own = basic('shop', shop.shop.client_secret);
  return {
    ...shop,
    api: basic('shop-api', client_secret),
    introspect: (form: Form, headers: Record<string, string> = own) =>
      post(`${shop.idp.url}/introspect`, form, headers),
  };
}

describe('introspection', () => {
  test('of an active access token tells its client what it means (INS-02, HTTP-09)', async () => {
    const { idp, user, tokens, introspect } = await start();
    const { access_token } = await tokens();
    const { jti, sid, auth_time, acr, amr } = decodeJwt(access_token);
    const { status, headers, body } = await introspect({ token: access_token });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      ...{ active: true, token_type: 'Bearer', iss: idp.issuer, sub: user.id, aud: idp.issuer },
      ...{ client_id: 'shop', scope: 'openid', iat: idp.now(), exp: idp.now() + 600 },
      ...{ jti, sid, auth_time, acr, amr },
    });
  });

  test('of an access token with many scopes, which is long, is like that of any; and so is its revocation', async () => {
    const words = Array.from({ length: 70 }, (_, i) => `reports:of-team-${i}:read`);
    const { idp, tokens, introspect, shop } = await start({
      metadata: { scope: ['openid', ...words].join(' ') },
    });
    await idp.addResource('https://reports.example', ...words);
    const { access_token: token } = await tokens({
      resource: 'https://reports.example',
      scope: words.join(' '),
    });
    expect(token.length).toBeGreaterThan(2048);
    expect((await introspect({ token })).body.active).toBe(true);
    const revoked = await post(`${idp.url}/revoke`, { token }, basic('shop', shop.client_secret));
    expect(revoked.status).toBe(200);
    expect((await introspect({ token })).body).toEqual({ active: false });
    expect((await introspect({ token: 'x'.repeat(16_384) })).body).toEqual({ active: false });
  });

  test('tells the client of a resource server of the tokens for it, and of no other (INS-01)', async () => {
    const { tokens, introspect, api: own } = await start({ metadata: { scope: 'openid read' } });
    const meant = await tokens({ scope: 'openid read', resource: api });
    expect((await introspect({ token: meant.access_token }, own)).body).toMatchObject({
      active: true,
      aud: api,
      scope: 'read',
    });
    const other = await tokens();
    expect((await introspect({ token: other.access_token }, own)).body).toEqual({ active: false });
  });

  test('of a refresh token is for its own client; a replaced one is none (INS-01, INS-03)', async () => {
    const {
      idp,
      tokens,
      refresh,
      introspect,
      api: other,
    } = await start({
      metadata: { refresh_token_rotation: true },
    });
    const { refresh_token = '' } = await tokens();
    expect((await introspect({ token: refresh_token })).body).toMatchObject({
      active: true,
      client_id: 'shop',
      exp: idp.now() + 30 * 24 * 3600,
    });
    expect((await introspect({ token: refresh_token }, other)).body).toEqual({ active: false });
    const fresh = (await refresh(refresh_token)).body;
    expect((await introspect({ token: refresh_token })).body).toEqual({ active: false });
    expect((await introspect({ token: fresh.refresh_token })).body.active).toBe(true);
  });

  test.each<[string, (shop: Shop, token: string) => unknown]>([
    ['has expired', (shop) => shop.idp.advance(600)],
    [
      'was revoked',
      ({ idp, shop }, token) => post(`${idp.url}/revoke`, { token }, basic('shop', shop.client_secret)),
    ],
    ['belongs to a session that ended', ({ idp, user }) => signOutEverywhere(idp.deps, user.id, idp.now())],
    ['belongs to a disabled user', ({ idp, user }) => disableUser(idp.deps, user.id, idp.now())],
  ])('of a token that %s says exactly that it is not active (INS-03)', async (_, end) => {
    const shop = await start();
    const { access_token } = await shop.tokens();
    await end(shop, access_token);
    const { status, body } = await shop.introspect({ token: access_token });
    expect([status, body]).toEqual([200, { active: false }]);
  });

  test.each<[string, (shop: Shop) => Promise<string> | string]>([
    ['nothing of ours', () => 'nothing'],
    ['an ID token', async (shop) => (await shop.tokens()).id_token ?? ''],
    [
      'a token with another signature',
      async (shop) => `${(await shop.tokens()).access_token.slice(0, -8)}AAAAAAAA`,
    ],
  ])('of %s says exactly that it is not active (INS-03)', async (_, token) => {
    const shop = await start();
    expect((await shop.introspect({ token: await token(shop) })).body).toEqual({ active: false });
  });

  test('is signed for who accepts application/token-introspection+jwt (INS-04; RFC 9701 §5, HTTP-08)', async () => {
    const { idp, tokens, introspect, shop } = await start();
    const { access_token } = await tokens();
    const accept = 'application/token-introspection+jwt';
    const { headers, body } = await introspect(
      { token: access_token },
      { ...basic('shop', shop.client_secret), accept },
    );
    expect(headers.get('content-type')).toBe(accept);
    const { payload } = await jwtVerify(body, createRemoteJWKSet(new URL(`${idp.url}/jwks`)), {
      ...{ typ: 'token-introspection+jwt', issuer: idp.issuer, audience: 'shop' },
      currentDate: new Date(idp.now() * 1000),
    });
    expect(payload.token_introspection).toMatchObject({ active: true, client_id: 'shop' });
    expect(payload).not.toHaveProperty('exp');
  });

  test.each<[string, Form, Record<string, string> | undefined, number, string]>([
    ['token is missing (INS-03)', {}, undefined, 400, 'invalid_request'],
    ['the caller does not say who it is (INS-01)', { token: 'x' }, {}, 401, 'invalid_client'],
    ['the secret is wrong (INS-01)', { token: 'x' }, basic('shop', 'wrong'), 401, 'invalid_client'],
  ])('is refused where %s', async (_, form, headers, status, error) => {
    const { introspect } = await start();
    const answer = await introspect(form, headers);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('is refused to public clients, who could be anybody (INS-01)', async () => {
    const { introspect, tokens } = await start({ metadata: publicClient });
    const { access_token } = await tokens();
    expect((await introspect({ token: access_token, client_id: 'shop' }, {})).status).toBe(401);
  });
});
