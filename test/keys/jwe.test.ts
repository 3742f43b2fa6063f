/** What others encrypt to our keys, and what we encrypt to theirs, with jose as the other side. RFC 7516; hardening row 21. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { type DecryptionKey, decryptJwe, encryptJwt } from '../../src/keys/jwe.js';
import { signingContext } from '../../src/keys/keys.js';
import { masterKeysOf } from '../../src/keys/master_key.js';
import { newSigningKey } from '../../src/keys/new_key.js';
import { type JweAlg, jweAlgs, jweEncs } from '../../src/oauth/algorithms.js';
import * as secrets from '../../src/secrets.js';

const master = masterKeysOf([secrets.newKey()]);

interface Key extends DecryptionKey {
  readonly jwk: JWK;
}

async function newKey(alg: JweAlg): Promise<Key> {
  const { kid, public_jwk, private_key_wrapped } = await newSigningKey(master, alg, 0, 0);
  const der = master.unwrap(private_key_wrapped, signingContext(kid));
  const private_key: KeyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { kid, alg, private_key, jwk: { ...JSON.parse(public_jwk), kid } };
}

const keys = await Promise.all([...jweAlgs, 'ECDH-ES' as const].map(newKey));
const keyFor = (alg: JweAlg) => keys.find((key) => key.alg === alg) as Key; // there is one for each
const pairs = jweAlgs.flatMap((alg) => jweEncs.map((enc) => [alg, enc] as const));

/** A JWE by jose, of any header. */
async function encrypt(text: string | Uint8Array, key: Key, header: object = {}): Promise<string> {
  const plain = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const usual = { alg: key.alg, enc: 'A128GCM', kid: key.kid };
  return new CompactEncrypt(plain)
    .setProtectedHeader({ ...usual, ...header })
    .encrypt(await importJWK(key.jwk, key.alg));
}

const withHeader = (jwe: string, change: object) => {
  const header = { ...decodeProtectedHeader(jwe), ...change };
  const [, ...rest] = jwe.split('.');
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
};

describe('what others encrypt', () => {
  test.each(pairs)('with %s and %s opens with the key of that algorithm (JAR-02)', async (alg, enc) => {
    const jwe = await encrypt('a.b.c', keyFor(alg), { enc, cty: 'JWT' });
    expect(await decryptJwe(keys, jwe)).toBe('a.b.c');
  });

  test('opens without a kid, whichever key of the algorithm it was for', async () => {
    for (const key of keys)
      expect(await decryptJwe(keys, await encrypt('x', key, { kid: undefined }))).toBe('x');
  });

  const key = keyFor('ECDH-ES');
  const rsa = keyFor('RSA-OAEP-256');
  const symmetric = (alg: string, enc: string, bytes: number) =>
    new CompactEncrypt(new TextEncoder().encode('x'))
      .setProtectedHeader({ alg, enc })
      .encrypt(new Uint8Array(bytes).fill(1));

  test.each<[string, () => Promise<string>]>([
    ['it is compressed, even by a little', () => encrypt('x'.repeat(500), key, { zip: 'DEF' })],
    ['zip is named and nothing is compressed', async () => withHeader(await encrypt('x', key), { zip: '' })],
    ['kid is none of ours', () => encrypt('x', key, { kid: 'k9' })],
    ['kid is that of another key', () => encrypt('x', key, { kid: rsa.kid })],
    ['kid is a number', async () => withHeader(await encrypt('x', key), { kid: 1 })],
    [
      'it is for a key of somebody else',
      async () => encrypt('x', { ...(await newKey('ECDH-ES')), kid: key.kid }),
    ],
    [
      'alg is another of the same family',
      async () => withHeader(await encrypt('x', key), { alg: 'ECDH-ES+A128KW' }),
    ],
    ['alg is RSA-OAEP with SHA-1', async () => encrypt('x', { ...rsa, alg: 'RSA-OAEP' as JweAlg })],
    ['alg is RSA1_5', async () => withHeader(await encrypt('x', rsa), { alg: 'RSA1_5' })],
    ['alg is dir', () => symmetric('dir', 'A128GCM', 16)],
    ['alg is A128KW', () => symmetric('A128KW', 'A128GCM', 16)],
    ['alg is PBES2', () => symmetric('PBES2-HS256+A128KW', 'A128GCM', 16)],
    ['enc is one that is not listed', () => encrypt('x', key, { enc: 'A192GCM' })],
    ['crit names something', async () => withHeader(await encrypt('x', key), { crit: ['exp'], exp: 1 })],
    [
      'a character of it was changed',
      async () => (await encrypt('xyz', key)).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    ],
    // The last character of its tag holds bits that nobody reads: others that say the same follow it in the alphabet.
    [
      'a bit that means nothing was changed',
      async () =>
        (await encrypt('xyz', key)).replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
    ],
    [
      'a character that is none of base64url was put in',
      async () => (await encrypt('xyz', key)).replace(/.$/, '+$&'),
    ],
    ['it is longer than 16 KiB', () => encrypt('x'.repeat(16_384), key)],
    ['it is no text', () => encrypt(new Uint8Array([0xff, 0xfe]), key)],
    ['it is a JWS', async () => 'e30.e30.e30'],
    ['it is empty', async () => ''],
  ])('stays shut when %s (hardening 21)', async (_, make) => {
    expect(await decryptJwe(keys, await make())).toBeUndefined();
  });

  test('is undefined for anything at all, and never throws', async () => {
    const header = fc.oneof(
      fc.record({
        alg: fc.constantFrom(...jweAlgs),
        enc: fc.constantFrom(...jweEncs),
        epk: fc.oneof(
          fc.jsonValue(),
          fc.record({
            kty: fc.constant('EC'),
            crv: fc.constant('P-256'),
            x: fc.base64String(),
            y: fc.base64String(),
          }),
        ),
      }),
      fc.jsonValue(),
    );
    const part = fc.oneof(
      fc.base64String().map((text) => Buffer.from(text, 'base64').toString('base64url')),
      fc.string(),
    );
    const encoded = header.map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
    await fc.assert(
      fc.asyncProperty(encoded, fc.array(part, { minLength: 3, maxLength: 5 }), async (first, rest) => {
        expect(await decryptJwe(keys, [first, ...rest].join('.'))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('what we encrypt', () => {
  test.each(pairs)(
    'with %s and %s opens by jose, and names the key and what is inside (IDT-12)',
    async (alg, enc) => {
      const { jwk, kid, private_key } = keyFor(alg);
      const jwe = await encryptJwt('a.b.c', { jwk, alg, enc });
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, private_key);
      expect(new TextDecoder().decode(plaintext)).toBe('a.b.c');
      const { epk, ...header } = protectedHeader;
      expect(header).toEqual({ alg, enc, kid, cty: 'JWT' });
    },
  );

  test('has no kid where the client’s key has none', async () => {
    const { kid, ...jwk } = keyFor('ECDH-ES').jwk;
    const jwe = await encryptJwt('a.b.c', { jwk, alg: 'ECDH-ES', enc: 'A256GCM' });
    expect(decodeProtectedHeader(jwe)).not.toHaveProperty('kid');
  });
});
