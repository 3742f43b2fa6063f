import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { retireSigningKey, rotateSigningKey } from '../../src/actions/keys.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { rawRequest } from '../support/raw_http.js';
import { startShop } from '../support/shop.js';

test('the JWK Set holds public members only, each key with kid, alg and use (JWK-01, JWK-02, JWK-03)', async () => {
  const idp = await startIdp();
  const { status, headers, body } = await rawRequest(idp.url, { path: '/jwks' });
  expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  const { keys } = JSON.parse(body);
  expect(keys).toHaveLength(1);
  expect(keys[0]).toEqual({
    kty: 'RSA',
    use: 'sig',
    alg: 'RS256',
    kid: expect.stringMatching(/^[A-Za-z0-9_-]{20,}$/),
    n: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
    e: 'AQAB',
  });
  const modulus = Buffer.from(keys[0].n, 'base64url');
  expect([modulus.length, modulus[0] !== 0]).toEqual([256, true]); // 2048 bits, no leading zero octet
});

test('every token verifies by the set alone', async () => {
  const shop = await startShop();
  const { access_token, id_token } = await shop.tokens();
  const keys = createLocalJWKSet(await readSet(shop.idp));
  for (const [token, typ] of [
    [access_token, 'at+jwt'],
    [id_token, 'JWT'],
  ] as const) {
    const currentDate = new Date(shop.idp.now() * 1000);
    const { protectedHeader } = await jwtVerify(token, keys, { issuer: shop.idp.issuer, typ, currentDate });
    expect(protectedHeader).toEqual({ alg: 'RS256', typ, kid: expect.any(String) });
  }
});

test('after a rotation it holds the new and the old key, and tokens of both are good (JWK-04)', async () => {
  const shop = await startShop();
  const before = await shop.tokens();
  const kid = await rotateSigningKey(shop.idp.deps, { at_once: true }, shop.idp.now());
  const set = await readSet(shop.idp);
  expect(set.keys).toHaveLength(2);
  const after = await shop.tokens();
  const keys = createLocalJWKSet(set);
  expect((await jwtVerify(after.id_token, keys)).protectedHeader.kid).toBe(kid);
  expect((await jwtVerify(before.id_token, keys)).protectedHeader.kid).not.toBe(kid);
  for (const { access_token } of [before, after])
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
});

test('a key that was taken out is refused at once (JWK-05)', async () => {
  const shop = await startShop();
  const { access_token } = await shop.tokens();
  const [old] = (await readSet(shop.idp)).keys;
  await retireSigningKey(shop.idp.deps, old?.kid ?? '', shop.idp.now());
  const kids = (await readSet(shop.idp)).keys.map(({ kid }) => kid);
  expect([kids.length, kids.includes(old?.kid ?? '')]).toEqual([1, false]);
  expect((await shop.idp.userinfo(access_token)).status).toBe(401);
});

test('caches may keep it for the time set, which is shorter than a new key is announced (JWK-05)', async () => {
  const idp = await startIdp({ settings: { JWKS_MAX_AGE_SECONDS: '120' } });
  const { headers } = await rawRequest(idp.url, { path: '/jwks' });
  expect(headers['cache-control']).toBe('public, max-age=120');
  await rotateSigningKey(idp.deps, { at_once: false }, idp.now());
  expect((await readSet(idp)).keys).toHaveLength(2); // announced now, and signs in 240 seconds
});

test.each([
  ['the same tag', (etag: string) => etag, 304],
  ['the same tag, weak', (etag: string) => `W/${etag}`, 304],
  ['the tag among others', (etag: string) => `"x", ${etag}`, 304],
  ['any tag', () => '*', 304],
  ['another tag', () => '"x"', 200],
  ['the tag without quotes', (etag: string) => etag.replaceAll('"', ''), 200],
  ['nonsense', () => ',,,"', 200],
])('If-None-Match with %s (RFC 9110 §13.1.2)', async (_, tagOf, status) => {
  const idp = await startIdp();
  for (const path of ['/jwks', '/.well-known/openid-configuration']) {
    const first = await rawRequest(idp.url, { path });
    const etag = String(first.headers.etag);
    const again = await rawRequest(idp.url, { path, headers: { 'if-none-match': tagOf(etag) } });
    expect([again.status, again.body]).toEqual([status, status === 304 ? '' : first.body]);
    expect([again.headers.etag, again.headers['cache-control']]).toEqual([
      etag,
      first.headers['cache-control'],
    ]);
  }
});

test('the tag changes with the keys', async () => {
  const idp = await startIdp();
  const tag = async () => (await rawRequest(idp.url, { path: '/jwks' })).headers.etag;
  const before = await tag();
  expect(before).toMatch(/^"[^"]+"$/);
  expect(await tag()).toBe(before);
  await rotateSigningKey(idp.deps, { at_once: false }, idp.now());
  expect(await tag()).not.toBe(before);
});

test('HEAD answers as GET does, without the body', async () => {
  const idp = await startIdp();
  for (const path of ['/jwks', '/.well-known/openid-configuration']) {
    const get = await rawRequest(idp.url, { path });
    const head = await rawRequest(idp.url, { method: 'HEAD', path });
    expect([head.status, head.body]).toEqual([200, '']);
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control'])
      expect(head.headers[name]).toBe(get.headers[name]);
  }
});

async function readSet(idp: TestIdp): Promise<{ keys: { kty: string; kid: string }[] }> {
  return JSON.parse((await rawRequest(idp.url, { path: '/jwks' })).body);
}
