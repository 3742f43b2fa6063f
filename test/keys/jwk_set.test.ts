import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, type JSONWebKeySet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { jwkSet } from '../../src/keys/jwk_set.js';
import { signJwt } from '../../src/keys/jws.js';
import { masterKeysOf } from '../../src/keys/master_key.js';
import { newSigningKey } from '../../src/keys/new_key.js';
import { jweAlgs, jwsAlgs } from '../../src/oauth/algorithms.js';
import * as secrets from '../../src/secrets.js';

function pair(kid: string) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    kid,
    alg: 'RS256' as const,
    jwk: privateKey.export({ format: 'jwk' }),
    private_key: privateKey,
    public_key: publicKey,
  };
}

const [a, b] = [pair('a'), pair('b')];

test('a set has the public members of each key and no other, even of a private JWK (JWK-01, JWK-02)', () => {
  const { keys } = JSON.parse(jwkSet([a, b]).body.toString());
  expect(keys).toEqual(
    [a, b].map(({ kid, jwk }) => ({ kty: 'RSA', use: 'sig', alg: 'RS256', kid, n: jwk.n, e: 'AQAB' })),
  );
});

test('jose finds the key in it and verifies', async () => {
  const set: JSONWebKeySet = JSON.parse(jwkSet([a, b]).body.toString());
  const jwt = await signJwt(b, 'JWT', { sub: 'u1' });
  expect((await jwtVerify(jwt, createLocalJWKSet(set))).payload).toEqual({ sub: 'u1' });
});

test('the entity tag is strong, the same for the same keys, another for others (RFC 9110 §8.8.3)', () => {
  const tags = [jwkSet([a]), jwkSet([a]), jwkSet([a, b]), jwkSet([b, a]), jwkSet([])].map(({ etag }) => etag);
  expect(tags[0]).toMatch(/^"[\w-]{22}"$/);
  expect(tags[1]).toBe(tags[0]);
  expect(new Set(tags).size).toBe(4);
});

test('a new key has 2048 bits, the exponent 65537 and its thumbprint as kid (RFC 7638)', async () => {
  const master = masterKeysOf([secrets.newKey()]);
  const row = await newSigningKey(master, 'RS256', 100, 700);
  const jwk = JSON.parse(row.public_jwk);
  expect(Object.keys(jwk)).toEqual(['kty', 'n', 'e']);
  expect([Buffer.from(jwk.n, 'base64url').length, jwk.e]).toEqual([256, 'AQAB']);
  expect(row.kid).toBe(await calculateJwkThumbprint(jwk));
  expect(row).toMatchObject({
    alg: 'RS256',
    created_at: 100,
    active_at: 700,
    retired_at: null,
    expires_at: null,
  });
  expect(row.private_key_wrapped).not.toContain(jwk.n);
});

test.each([...jwsAlgs, ...jweAlgs])(
  'a key for %s is published with its public members alone, and its use (JWK-01, JWK-02, JWK-03)',
  async (alg) => {
    const row = await newSigningKey(masterKeysOf([secrets.newKey()]), alg, 100, 100);
    const jwk = JSON.parse(row.public_jwk);
    expect(row.kid).toBe(await calculateJwkThumbprint(jwk));
    const [published] = JSON.parse(
      jwkSet([{ kid: row.kid, alg, jwk: { ...jwk, d: 'x', p: 'x', k: 'x' } }]).body.toString(),
    ).keys;
    const use = jwsAlgs.some((one) => one === alg) ? 'sig' : 'enc';
    expect(published).toEqual({ use, alg, kid: row.kid, ...jwk });
    expect(await importJWK(published)).toMatchObject({ type: 'public' });
  },
);
