import { createHash } from 'node:crypto';
import bcrypt from 'bcryptjs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, firebaseScrypt, pbkdf2, salted, scrypt } from '../../src/factors/imported_hash.js';
import { parseHash } from '../../src/factors/imported_hash_text.js';
import { hashPassword, isOutdated, verifyPassword } from '../../src/factors/password.js';
import { UserError } from '../../src/oauth/errors.js';
import * as credentials from '../../src/store/credentials.js';
import { signIn } from '../support/flow.js';
import { countingGate, startIdp } from '../support/idp.js';

const config = { ARGON2_MEMORY_KIB: 7168, ARGON2_PASSES: 1, ARGON2_LANES: 1 };
const hex = (text: string) => decode(text.replaceAll(' ', ''), 'hex');
const base64 = (text: string) => decode(text, 'base64');

/** Parameters of the sample in github.com/firebase/scrypt, README. */
const firebase = {
  mem_cost: 14,
  rounds: 8,
  signer_key: base64(
    'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  ),
  salt_separator: base64('Bw=='),
  salt: base64('42xEC+ixf3L2lw=='),
};

/** Published vectors: source, password, the hash as it is stored here. */
const vectors: readonly (readonly [source: string, password: string, stored: () => string])[] = [
  [
    'phc-winner-argon2, src/test.c: argon2id',
    'password',
    () => parseHash('$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'),
  ],
  [
    'phc-winner-argon2, src/test.c: argon2i',
    'password',
    () => parseHash('$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA'),
  ],
  [
    'crypt_blowfish, wrapper.c: bcrypt',
    'U*U',
    () => parseHash('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'),
  ],
  [
    'crypt_blowfish, wrapper.c: bcrypt of 2y',
    'U*U*U',
    () => parseHash('$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'),
  ],
  [
    'RFC 7914 §12: scrypt',
    'password',
    () =>
      scrypt({
        cost: 1024,
        block_size: 8,
        parallelization: 16,
        salt: Buffer.from('NaCl'),
        hash: hex(
          'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
            '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
        ),
      }),
  ],
  [
    'RFC 6070 §2: PBKDF2 with SHA-1',
    'password',
    () =>
      pbkdf2({
        digest: 'sha1',
        iterations: 4096,
        salt: Buffer.from('salt'),
        hash: hex('4b007901b765489abead49d926f721d065a429c1'),
      }),
  ],
  [
    'RFC 7914 §11: PBKDF2 with SHA-256',
    'passwd',
    () =>
      pbkdf2({
        digest: 'sha256',
        iterations: 1,
        salt: Buffer.from('salt'),
        hash: hex(
          '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc' +
            '49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
        ),
      }),
  ],
  [
    'firebase/scrypt, README',
    'user1password',
    () =>
      firebaseScrypt({
        ...firebase,
        hash: base64(
          'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
        ),
      }),
  ],
  [
    'firebase/scrypt, its tests',
    'hunter2',
    () =>
      firebaseScrypt({
        ...firebase,
        hash: base64(
          '70k8Vg5B3/OrvJOiqusnasv0dLcBHoDAqJrJr7TRLBfMw4MitWx51YXJYFdGiyMbMeKtWtLf5HiBDcN0SUOm4A==',
        ),
      }),
  ],
  [
    'Django, test_hashers.py: PBKDF2',
    'l\u00e8tmein',
    () => parseHash('pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c='),
  ],
  [
    'Django, test_hashers.py: SHA-1',
    'l\u00e8tmein',
    () => parseHash('sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8'),
  ],
  [
    'Django, test_hashers.py: SHA-1 without a salt',
    'l\u00e8tmein',
    () => parseHash('sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b'),
  ],
  [
    'Django, test_hashers.py: scrypt',
    'l\u00e8tmein',
    () =>
      parseHash(
        'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
      ),
  ],
  [
    'Django, test_hashers.py: argon2',
    'secret',
    () => parseHash('argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'),
  ],
  [
    'Django, test_hashers.py: argon2 of before it had versions',
    'secret',
    () =>
      parseHash(
        'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg',
      ),
  ],
  [
    'RFC 7914 §11, as passlib writes it',
    'passwd',
    () =>
      parseHash(
        '$pbkdf2-sha256$1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd.8xfHG4RbHjC9UJESBB06GXgw',
      ),
  ],
  [
    'FIPS 180-2: SHA-256 of one block',
    'abc',
    () => parseHash('{SHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='),
  ],
];

describe('a hash of another system', () => {
  test.each(vectors)('%s', async (_, password, stored) => {
    const gate = countingGate();
    const hash = stored();
    expect(await verifyPassword(gate, config, password, hash)).toBe(true);
    expect(await verifyPassword(gate, config, `${password}x`, hash)).toBe(false);
    expect(gate.entered).toBe(2); // as where nobody has the address (decisions 34)
    expect(isOutdated(config, hash)).toBe(true);
    expect(parseHash(hash)).toBe(hash); // what `users export` writes can be imported
  });

  test.each(['prefix', 'suffix'] as const)('may be a digest with the salt as %s', async (position) => {
    const [password, salt] = [Buffer.from('correct horse'), Buffer.from('salt')];
    const parts = position === 'prefix' ? [salt, password] : [password, salt];
    for (const digest of ['sha1', 'sha256', 'sha512'] as const) {
      const hash = createHash(digest).update(Buffer.concat(parts)).digest();
      const stored = salted({ digest, position, salt, hash });
      expect(await verifyPassword(countingGate(), config, 'correct horse', stored)).toBe(true);
      expect(await verifyPassword(countingGate(), config, 'correct hors', stored)).toBe(false);
      const scheme = { sha1: '{SSHA}', sha256: '{SSHA256}', sha512: '{ssha512}' }[digest];
      const ldap = scheme + Buffer.concat([hash, salt]).toString('base64');
      if (position === 'suffix') expect(parseHash(ldap)).toBe(stored);
    }
  });

  test('of Django’s bcrypt_sha256 is bcrypt of the hex digest, so that nothing of a long password is cut off', async () => {
    const password = 'x'.repeat(100);
    const digest = createHash('sha256').update(password).digest('hex');
    const stored = parseHash(`bcrypt_sha256$${await bcrypt.hash(digest, 4)}`);
    expect(await verifyPassword(countingGate(), config, password, stored)).toBe(true);
    expect(await verifyPassword(countingGate(), config, `${password.slice(1)}y`, stored)).toBe(false);
    expect(parseHash(stored)).toBe(stored);
  });

  test('lets the person in and is renewed as argon2id, once; the password stays the same', async () => {
    const idp = await startIdp();
    const { id } = await idp.addUser();
    const before = await credentials.find(idp.db, id, 'password');
    const hash = parseHash('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
    await credentials.renew(idp.db, before?.id ?? '', before?.secret ?? '', hash, idp.now());
    const enter = async (password: string) => {
      const browser = idp.browser();
      return (await signIn(browser, await browser.get('/login'), { password })).status;
    };
    const secret = async () => (await credentials.find(idp.db, id, 'password'))?.secret;

    expect(await enter('U*U*')).toBe(400);
    expect(await secret()).toBe(hash);
    expect(await enter('U*U')).toBe(200);
    const renewed = await secret();
    expect(renewed).toMatch(/^\$argon2id\$/);
    expect(await enter('U*U')).toBe(200);
    expect(await secret()).toBe(renewed);
  });
});

const long = 'A'.repeat(400);

describe('no hash is taken over', () => {
  test.each([
    ['nothing', '', 'form is not known'],
    ['a password in plain text', 'correct horse battery staple', 'form is not known'],
    ['md5', 'md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3', 'too weak'],
    ['an unknown scheme', '{CRYPT}$1$abc$def', 'not known'],
    ['an unknown PHC id', '$yescrypt$j9T$abc$def', 'not known'],
    ['an unknown digest', '$pbkdf2-whirlpool$i=1000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA', 'whirlpool'],
    ['argon2 with 4 GiB', '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q', 'KiB'],
    [
      'argon2 with ten thousand passes',
      '$argon2id$v=19$m=65536,t=10000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q',
      'passes',
    ],
    ['argon2 without memory', '$argon2id$v=19$t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q', 'PHC'],
    ['bcrypt with the cost 31', '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'cost 31'],
    ['half a bcrypt', '$2b$10$CCCCCCCCCCCCCCCCCCCCC', 'bcrypt'],
    ['scrypt with 64 GiB', '$scrypt$ln=26,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA', 'memory'],
    ['scrypt with r=0', '$scrypt$ln=14,r=0,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA', 'parameters'],
    [
      'PBKDF2 with two billion iterations',
      'pbkdf2_sha256$2000000000$s$AAAAAAAAAAAAAAAAAAAAAA==',
      'iterations',
    ],
    ['PBKDF2 with no iterations', 'pbkdf2_sha256$many$s$AAAAAAAAAAAAAAAAAAAAAA==', 'iterations'],
    ['a hash of three bytes', '$pbkdf2-sha256$i=1000$c2FsdA$AAAA', 'shorter than 16'],
    ['a hash of 300 bytes', `$pbkdf2-sha256$i=1000$c2FsdA$${long}`, 'too long'],
    ['a digest of the wrong length', 'sha1$salt$00112233445566778899aabbccddeeff', '20 bytes'],
    ['what is not hex', 'sha1$salt$zz', 'hex'],
    ['what is not base64', '{SSHA}!!!', 'base64'],
    ['parts behind it', '$scrypt$ln=14,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA$more', 'more parts'],
    ['more than there can be', `$argon2id$${'A'.repeat(3000)}`, 'too long'],
  ])('that is %s', (_, text, reason) => {
    expect(() => parseHash(text)).toThrow(reason);
    expect(() => parseHash(text)).toThrow(UserError);
  });

  test('whatever the text: it is read, or refused with a sentence, and what was read can be checked', async () => {
    const part = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('c2FsdA', 'AAAAAAAAAAAAAAAAAAAAAAAA', '1000', 'i=5'),
    );
    const head = fc.constantFrom(
      '',
      '$scrypt',
      '$pbkdf2-sha256',
      '$argon2id',
      '$salted-sha1',
      'sha1',
      'scrypt',
      '{SSHA}',
      '$2b',
    );
    const text = fc
      .tuple(head, fc.array(part, { maxLength: 6 }))
      .map(([first, rest]) => [first, ...rest].join('$'));
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.string()), async (tried) => {
        try {
          const stored = parseHash(tried);
          expect(parseHash(stored)).toBe(stored);
          expect(await verifyPassword(countingGate(), config, 'correct horse', stored)).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('once argon2id was made of it: the password is hashed as usual', async () => {
    expect(isOutdated(config, await hashPassword(countingGate(), config, 'correct horse'))).toBe(false);
  });
});
