import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, compactVerify, importJWK, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { type SigningKey, signJwt, verifyJwt } from '../../src/keys/jws.js';
import { anyText } from '../support/arbitraries.js';

function newKey(kid: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  return { kid, alg: 'RS256', jwk, private_key: privateKey, public_key: publicKey };
}

const key = newKey('k1');
const other = newKey('k2');
const claims = { iss: 'http://localhost', sub: 'u1', nonce: 'n' };
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWS with any header at all, signed with RS256 by `signer`. */
function forge(header: object, payload: string = json(claims), signer: SigningKey = key): string {
  const signed = `${json(header)}.${payload}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), signer.private_key).toString('base64url')}`;
}

const good = { alg: 'RS256', typ: 'JWT', kid: 'k1' };

describe('signJwt', () => {
  test('makes what jose verifies, for many payloads', async () => {
    const payload = fc.dictionary(anyText(), fc.jsonValue(), { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(payload, async (value) => {
        // Dates are jose's to judge, and it wants numbers there; JSON has no lone surrogates and no -0.
        const expected = JSON.parse(
          JSON.stringify({ ...value, exp: undefined, nbf: undefined, iat: undefined }),
        );
        const jwt = await signJwt(key, 'at+jwt', expected);
        const verified = await jwtVerify(jwt, key.public_key, { algorithms: ['RS256'], typ: 'at+jwt' });
        expect(verified.payload).toEqual(expected);
        expect(verified.protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: 'k1' });
        expect(verifyJwt([other, key], 'at+jwt', jwt)).toEqual({ kid: 'k1', claims: expected });
      }),
      { numRuns: 100 },
    );
  });

  test('makes byte for byte what jose makes (RS256 has one signature for one text, RFC 8017 §8.2)', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(claims));
    const expected = await new CompactSign(bytes).setProtectedHeader(good).sign(key.private_key);
    expect(await signJwt(key, 'JWT', claims)).toBe(expected);
  });

  test('keeps the headers of two keys and two types apart', async () => {
    for (const signer of [key, other, key]) {
      for (const typ of ['JWT', 'at+jwt'] as const) {
        const { protectedHeader } = await compactVerify(
          await signJwt(signer, typ, claims),
          signer.public_key,
        );
        expect(protectedHeader).toEqual({ alg: 'RS256', typ, kid: signer.kid });
      }
    }
  });

  test('makes what a key from the published JWK verifies', async () => {
    const jwt = await signJwt(key, 'JWT', claims);
    const { payload } = await jwtVerify(jwt, await importJWK(key.jwk, 'RS256'));
    expect(payload).toEqual(claims);
  });
});

describe('verifyJwt', () => {
  test('takes what was signed with the key that its kid names', () => {
    expect(verifyJwt([key, other], 'JWT', forge(good))).toEqual({ kid: 'k1', claims });
  });

  const pem = key.public_key.export({ format: 'pem', type: 'spki' });
  const hmac = (header: object, secret: string | Buffer) => {
    const signed = `${json(header)}.${json(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const der = key.public_key.export({ format: 'der', type: 'spki' });
  const [header = '', payload = '', signature = ''] = forge(good).split('.');

  test.each([
    ['alg is none, without a signature (RFC 8725 §3.1)', `${json({ ...good, alg: 'none' })}.${payload}.`],
    ['alg is none, with a signature', `${json({ ...good, alg: 'none' })}.${payload}.${signature}`],
    ['alg is nOnE', forge({ ...good, alg: 'nOnE' })],
    ['alg is HS256 with the public key in PEM as the secret', hmac({ ...good, alg: 'HS256' }, pem)],
    ['alg is HS256 with the public key in DER as the secret', hmac({ ...good, alg: 'HS256' }, der)],
    ['alg says RS256 and the public key is the secret of an HMAC', hmac(good, pem)],
    ['alg is RS384, correctly signed for RS256', forge({ ...good, alg: 'RS384' })],
    ['alg is PS256', forge({ ...good, alg: 'PS256' })],
    ['alg is missing', forge({ typ: 'JWT', kid: 'k1' })],
    ['alg is a list', forge({ ...good, alg: ['RS256'] })],
    ['typ is that of an access token', forge({ ...good, typ: 'at+jwt' })],
    ['typ is in another case', forge({ ...good, typ: 'jwt' })],
    ['typ is missing', forge({ alg: 'RS256', kid: 'k1' })],
    ['kid is missing', forge({ alg: 'RS256', typ: 'JWT' })],
    ['kid is unknown', forge({ ...good, kid: 'k3' })],
    ['kid is that of another key of ours', forge({ ...good, kid: 'k2' })],
    ['kid is a path', forge({ ...good, kid: '../../dev/null' })],
    ['crit names something (RFC 7515 §4.1.11)', forge({ ...good, crit: ['exp'], exp: 1 })],
    ['crit is empty', forge({ ...good, crit: [] })],
    ['crit is null', forge({ ...good, crit: null })],
    [
      'it was signed by a stranger who sends his own key as jwk',
      forge({ ...good, jwk: other.jwk }, payload, other),
    ],
    ['the signature is that of another key', forge(good, payload, other)],
    ['the signature is empty', `${header}.${payload}.`],
    ['the payload was exchanged', `${header}.${json({ ...claims, sub: 'u2' })}.${signature}`],
    ['the payload is no JSON', forge(good, Buffer.from('sub=u1').toString('base64url'))],
    ['the payload is a list', forge(good, json([claims]))],
    ['the payload is null', forge(good, json(null))],
    ['the payload is a text', forge(good, json('u1'))],
    ['the header is a list', `${json([good])}.${payload}.${signature}`],
    ['there are two parts', `${header}.${payload}`],
    ['there are four parts', `${header}.${payload}.${signature}.`],
    ['there are five parts, as in a JWE', `${header}.${payload}.${signature}.${signature}.${signature}`],
    ['a part is padded with =', forge(good).replace(/\.([^.]*)$/, '.$1==')],
    ['there is white space behind it', `${forge(good)} `],
    ['there is a line break in it', `${header}.\n${payload}.${signature}`],
    ['it is longer than 16 KiB', forge(good, json({ ...claims, pad: 'x'.repeat(16_384) }))],
    ['it is empty', ''],
    ['it is two dots', '..'],
  ])('refuses when %s (hardening 19)', (_, jwt) => {
    expect(verifyJwt([key, other], 'JWT', jwt)).toBeUndefined();
  });

  test('refuses a second spelling of the same bytes: stray bits in the last character (RFC 4648 §3.5)', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = signature.at(-1) ?? '';
    const twins = [...alphabet].filter((letter) => {
      const twin = signature.slice(0, -1) + letter;
      return letter !== last && Buffer.from(twin, 'base64url').equals(Buffer.from(signature, 'base64url'));
    });
    expect(twins.length).toBeGreaterThan(0);
    for (const letter of twins)
      expect(
        verifyJwt([key], 'JWT', `${header}.${payload}.${signature.slice(0, -1)}${letter}`),
      ).toBeUndefined();
  });

  test('takes no other text than the one that was signed, wherever one character is changed', () => {
    const jwt = forge(good);
    fc.assert(
      fc.property(fc.nat(jwt.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        fc.pre(jwt[at] !== letter);
        expect(verifyJwt([key], 'JWT', jwt.slice(0, at) + letter + jwt.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('answers undefined to anything at all, and never throws', () => {
    const part = fc.oneof(
      anyText(),
      fc.jsonValue().map(json),
      fc.constant(json(good)),
      fc.constant('__proto__'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(verifyJwt([key], 'JWT', parts.join('.'))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
