import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decrypt, derive, digest, encrypt, equal, mac, newId, newKey, newSecret } from '../src/secrets.js';
import { halfHash } from '../src/tokens/id_token.js';
import { anyText } from './support/arbitraries.js';

const hex = (text: string) => Buffer.from(text, 'hex');
const ofBase64url = (text: string) => Buffer.from(text, 'base64url').toString('hex');

describe('digest', () => {
  test.each([
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('of "%s" is the SHA-256 of FIPS 180-4', (text, expected) => {
    expect(ofBase64url(digest(text))).toBe(expected);
    expect(digest(text)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('of the example of OpenID Connect Core A.3 gives its at_hash', () => {
    expect(halfHash('jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y', 'RS256')).toBe('77QmUPtjPfzWtF2AnpK9RQ');
  });
});

describe('mac', () => {
  test.each([
    [1, '0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      2,
      Buffer.from('Jefe').toString('hex'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      6,
      'aa'.repeat(131),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
    [
      7,
      'aa'.repeat(131),
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    ],
  ])('gives HMAC-SHA-256 test case %i of RFC 4231', (_, key, text, expected) => {
    expect(ofBase64url(mac(hex(key), text))).toBe(expected);
  });
});

describe('derive', () => {
  test('gives the first 32 bytes of HKDF test case 3, without salt and info (RFC 5869 A.3)', () => {
    const okm = '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8';
    expect(derive(hex('0b'.repeat(22)), '').toString('hex')).toBe(okm.slice(0, 64));
  });

  test('gives another key for another purpose and for another secret', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (secret, one, other) => {
        fc.pre(one !== other);
        expect(derive(secret, one).equals(derive(secret, other))).toBe(false);
        expect(derive(`${secret}x`, one).equals(derive(secret, one))).toBe(false);
      }),
    );
  });
});

describe('encrypt and decrypt', () => {
  const zeros = '00'.repeat(32);
  const key = 'feffe9928665731c6d6a8f9467308308'.repeat(2);
  const plain =
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
  const cipher =
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';

  test.each([
    [13, zeros, '00'.repeat(12), '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
    [
      14,
      zeros,
      '00'.repeat(12),
      '00'.repeat(16),
      'cea7403d4d606b6e074ec5d3baf39d18',
      'd0d1c8a799996bf0265b98b5d48ab919',
    ],
    [15, key, 'cafebabefacedbaddecaf888', plain, cipher, 'b094dac5d93471bdec1a502270e3cc6c'],
  ])('open test case %i of the GCM specification', (_, secret, nonce, text, sealed, tag) => {
    const bytes = hex(nonce + sealed + tag).toString('base64url');
    expect(decrypt(hex(secret), bytes, '')?.toString('hex')).toBe(text);
  });

  test('open the A256GCM content of RFC 7516 A.1, whose context is text', () => {
    const cek = Buffer.from([
      ...[177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246],
      ...[138, 7, 110, 91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252],
    ]);
    const parts = [
      '48V1_ALb6US04U3b',
      '5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A',
      'XFBoMYUZodetZdvTiFvSkQ',
    ];
    const sealed = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64url'))).toString('base64url');
    const context = 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ';
    expect(decrypt(cek, sealed, context)?.toString()).toBe(
      'The true sign of intelligence is not knowledge but imagination.',
    );
  });

  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

  test('give back what went in, under a nonce that is new each time', () => {
    fc.assert(
      fc.property(bytes, fc.string(), (content, context) => {
        const secret = newKey();
        const [one, other] = [encrypt(secret, content, context), encrypt(secret, content, context)];
        expect(one).not.toBe(other);
        expect(decrypt(secret, one, context)?.equals(content)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('open nothing of which one bit was changed', () => {
    const secret = newKey();
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(7), (content, at, bit) => {
        const sealed = Buffer.from(encrypt(secret, content, 'here'), 'base64url');
        const place = at % sealed.length;
        sealed[place] = (sealed[place] ?? 0) ^ (1 << bit);
        expect(decrypt(secret, sealed.toString('base64url'), 'here')).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('open nothing under another key, in another place, cut short, or made up', () => {
    const secret = newKey();
    fc.assert(
      fc.property(bytes, anyText(), fc.nat(), (content, text, length) => {
        const sealed = encrypt(secret, content, 'here');
        expect(decrypt(newKey(), sealed, 'here')).toBeUndefined();
        expect(decrypt(secret, sealed, 'there')).toBeUndefined();
        expect(decrypt(secret, sealed.slice(0, length % (sealed.length - 1)), 'here')).toBeUndefined();
        expect(decrypt(secret, text, 'here')).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('equal', () => {
  const wellFormed = anyText().map((text) => Buffer.from(text).toString()); // what a request can hold

  test('says of any two texts what === would say, of any length', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect([equal(a, b), equal(a, a)]).toEqual([a === b, true]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is random', () => {
  test.each([
    ['a secret has 256 bits', newSecret, 32],
    ['an id has 128 bits', newId, 16],
    ['a key has 256 bits', () => newKey().toString('base64url'), 32],
  ])('%s, and none comes twice', (_, make, length) => {
    const made = Array.from({ length: 1000 }, make);
    expect(new Set(made).size).toBe(1000);
    for (const text of made) {
      expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(Buffer.from(text, 'base64url')).toHaveLength(length);
    }
  });

  test('every bit of it is set about as often as not', () => {
    const counts = new Array<number>(256).fill(0);
    for (let round = 0; round < 1000; round += 1) {
      const bytes = newKey();
      for (let bit = 0; bit < 256; bit += 1)
        counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1);
    }
    // Ten standard deviations: a fair source fails this less than once in 10^20 runs.
    expect(counts.every((count) => Math.abs(count - 500) < 160)).toBe(true);
  });
});
