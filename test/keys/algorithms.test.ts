/** Every algorithm of the table, with jose as the independent other side. RFC 7518; RFC 8037; hardening row 19. */
import { createPrivateKey, createPublicKey, type JsonWebKey, sign } from 'node:crypto';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type SigningKey, signJwt, verifyJwt } from '../../src/keys/jws.js';
import { signingContext } from '../../src/keys/keys.js';
import { masterKeysOf } from '../../src/keys/master_key.js';
import { newSigningKey } from '../../src/keys/new_key.js';
import { type JwsAlg, jwsAlgorithms, jwsAlgs } from '../../src/oauth/algorithms.js';
import * as secrets from '../../src/secrets.js';
import { halfHash } from '../../src/tokens/id_token.js';

const master = masterKeysOf([secrets.newKey()]);

async function newKey(alg: JwsAlg): Promise<SigningKey> {
  const { kid, public_jwk, private_key_wrapped } = await newSigningKey(master, alg, 0, 0);
  const jwk: JsonWebKey = JSON.parse(public_jwk);
  const der = master.unwrap(private_key_wrapped, signingContext(kid));
  const private_key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { kid, alg, jwk, private_key, public_key: createPublicKey({ key: jwk, format: 'jwk' }) };
}

const keys = await Promise.all(jwsAlgs.map(newKey));
const claims = { iss: 'http://localhost', sub: 'u1' };

describe.each(keys.map((key) => [key.alg, key] as const))('%s', (alg, key) => {
  test('makes what jose verifies with the public JWK and this algorithm alone (IDT-02)', async () => {
    const jwt = await signJwt(key, 'at+jwt', claims);
    const options = { algorithms: [alg], typ: 'at+jwt' };
    const { payload, protectedHeader } = await jwtVerify(jwt, await importJWK({ ...key.jwk, alg }), options);
    expect([payload, protectedHeader]).toEqual([claims, { alg, typ: 'at+jwt', kid: key.kid }]);
  });

  test('takes what jose makes', async () => {
    const header = { alg, typ: 'JWT', kid: key.kid };
    const jwt = await new SignJWT(claims).setProtectedHeader(header).sign(key.private_key);
    expect(verifyJwt(keys, 'JWT', jwt)).toEqual({ kid: key.kid, claims });
  });

  test.each(jwsAlgs.filter((other) => other !== alg))(
    'refuses when the header says %s: a key has one algorithm (hardening 19)',
    async (other) => {
      const [, payload = '', signature = ''] = (await signJwt(key, 'JWT', claims)).split('.');
      const header = Buffer.from(JSON.stringify({ alg: other, typ: 'JWT', kid: key.kid }));
      const jwt = [header.toString('base64url'), payload, signature].join('.');
      expect(verifyJwt(keys, 'JWT', jwt)).toBeUndefined();
    },
  );

  test('refuses what was signed by another key of its kind, or changed', async () => {
    const stranger = { ...(await newKey(alg)), kid: key.kid };
    expect(verifyJwt(keys, 'JWT', await signJwt(stranger, 'JWT', claims))).toBeUndefined();
    const [header = '', , signature = ''] = (await signJwt(key, 'JWT', claims)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: 'u2' })).toString('base64url');
    expect(verifyJwt(keys, 'JWT', `${header}.${payload}.${signature}`)).toBeUndefined();
  });
});

test.each(keys.filter(({ alg }) => alg.startsWith('ES')).map((key) => [key.alg, key] as const))(
  '%s refuses a signature in DER: a JWS has r and s side by side (RFC 7518 §3.4)',
  async (alg, key) => {
    const [header = '', payload = ''] = (await signJwt(key, 'JWT', claims)).split('.');
    const signed = `${header}.${payload}`;
    const der = sign(jwsAlgorithms[alg].hash, Buffer.from(signed), key.private_key);
    expect(verifyJwt(keys, 'JWT', `${signed}.${der.toString('base64url')}`)).toBeUndefined();
  },
);

test.each(keys.filter(({ alg }) => alg.startsWith('PS')).map((key) => [key.alg, key] as const))(
  '%s has a salt as long as its hash (RFC 7518 §3.5)',
  async (alg, key) => {
    const { hash } = jwsAlgorithms[alg];
    const [header = '', payload = ''] = (await signJwt(key, 'JWT', claims)).split('.');
    const signed = Buffer.from(`${header}.${payload}`);
    const input = { key: key.private_key, padding: 6 }; // RSA_PKCS1_PSS_PADDING
    const short = sign(hash, signed, { ...input, saltLength: 0 });
    expect(verifyJwt(keys, 'JWT', `${signed}.${short.toString('base64url')}`)).toBeUndefined();
  },
);

test.each([
  ['RS256', 22],
  ['PS256', 22],
  ['ES256', 22],
  ['RS384', 32],
  ['ES384', 32],
  ['PS512', 43],
  ['ES512', 43],
  ['EdDSA', 43],
] as const)('at_hash of %s has the left half of its family’s hash: %i characters (IDT-06)', (alg, length) => {
  expect(halfHash('jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y', alg)).toHaveLength(length);
});
