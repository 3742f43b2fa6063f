/** Lines as other systems export them. The hashes in them are of published vectors. */
import { describe, expect, test } from 'vitest';
import { parseFirebaseConfig } from '../../src/cli/import_formats/firebase_config.js';
import type { ImportFormat } from '../../src/cli/import_formats/format.js';
import * as formats from '../../src/cli/import_formats/index.js';
import { verifyPassword } from '../../src/factors/password.js';
import { UserError } from '../../src/oauth/errors.js';
import {
  argon2,
  argon2Parameters,
  auth0User,
  bcrypt,
  console_text,
  context,
  custom,
  djangoUser,
  firebaseUser,
  keycloakHash,
  keycloakUser,
  sha1,
  sha256,
} from '../support/exports.js';
import { countingGate } from '../support/idp.js';

const config = { ARGON2_MEMORY_KIB: 7168, ARGON2_PASSES: 1, ARGON2_LANES: 1 };

const { auth0, django, firebase, keycloak, own } = formats;

const lines: readonly (readonly [string, ImportFormat, object, string, string])[] = [
  [
    'PBKDF2 with SHA-256',
    keycloak,
    { ...keycloakUser, credentials: keycloakHash('pbkdf2-sha256', 1, sha256) },
    keycloakUser.id,
    'passwd',
  ],
  [
    'PBKDF2 with SHA-1',
    keycloak,
    { ...keycloakUser, credentials: keycloakHash('pbkdf2', 4096, sha1) },
    keycloakUser.id,
    'password',
  ],
  [
    'argon2',
    keycloak,
    { ...keycloakUser, credentials: keycloakHash('argon2', 2, argon2, argon2Parameters) },
    keycloakUser.id,
    'password',
  ],
  ['bcrypt', auth0, { ...auth0User, passwordHash: bcrypt }, 'auth0|5f7c8ec7c33c6c004bbafe82', 'U*U'],
  ['a sub of its own', auth0, { ...auth0User, user_id: 'email|1', password_hash: bcrypt }, 'email|1', 'U*U'],
  [
    'bcrypt, customised',
    auth0,
    custom({ algorithm: 'bcrypt', hash: { value: bcrypt } }),
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'U*U',
  ],
  [
    'pbkdf2, customised',
    auth0,
    custom({
      algorithm: 'pbkdf2',
      hash: { value: `$pbkdf2-sha256$i=1,l=64$c2FsdA$${sha256.value.replaceAll('=', '')}`, encoding: 'utf8' },
    }),
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'passwd',
  ],
  [
    'sha1 with a salt before it, customised',
    auth0,
    custom({
      algorithm: 'sha1',
      hash: { value: 'cff36ea83f5706ce9aa7454e63e431fc726b2dc8', encoding: 'hex' },
      salt: { value: 'seasalt', position: 'prefix' },
    }),
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'l\u00e8tmein',
  ],
  [
    'scrypt, customised',
    auth0,
    custom({
      algorithm: 'scrypt',
      hash: {
        value:
          'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
          '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
        encoding: 'hex',
      },
      salt: { value: 'NaCl', encoding: 'utf8' },
      cost: 1024,
      parallelization: 16,
    }),
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'password',
  ],
  ['its own scrypt', firebase, firebaseUser, 'rHBF2Rd8tVWzbQ', 'user1password'],
  [
    'PBKDF2',
    django,
    djangoUser('pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c='),
    '7',
    'l\u00e8tmein',
  ],
  [
    'argon2',
    django,
    djangoUser('argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'),
    '7',
    'secret',
  ],
  [
    'LDAP',
    own,
    {
      id: 'x',
      email: 'ada@example.com',
      password_hash: '{SHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
    },
    'x',
    'abc',
  ],
];

describe('a line', () => {
  test.each(lines.map(([what, format, ...rest]) => [format.name, what, format, ...rest] as const))(
    'of %s with %s is a person with their password',
    async (_, __, format, line, id, password) => {
      const person = format.read(line, context);
      expect(person).toMatchObject({ id, email: 'ada@example.com', disabled: false, roles: [] });
      const verify = (tried: string) =>
        verifyPassword(countingGate(), config, tried, person?.secret ?? undefined);
      expect([await verify(password), await verify(`${password}!`)]).toEqual([true, false]);
    },
  );

  test('of each system says what it knows of the person, and never makes an administrator', () => {
    expect(keycloak.read(keycloakUser, context)).toEqual({
      id: keycloakUser.id,
      email: 'ada@example.com',
      email_verified: true,
      roles: [],
      claims: {
        name: 'Ada Lovelace',
        given_name: 'Ada',
        family_name: 'Lovelace',
        preferred_username: 'ada',
        locale: 'en',
        phone_number: '+44 1',
      },
      disabled: false,
      created_at: 1_700_000_000,
      secret: null,
    });
    expect(auth0.read({ ...auth0User, blocked: true }, context)).toMatchObject({
      ...{ email_verified: true, disabled: true, created_at: 1_700_000_000, claims: { name: 'Ada' } },
    });
    expect(firebase.read(firebaseUser, context)).toMatchObject({
      ...{ email_verified: true, created_at: 1_700_000_000 },
      claims: { name: 'Ada', phone_number: '+441', phone_number_verified: true },
    });
    expect(django.read(djangoUser('!abc'), context)).toMatchObject({
      ...{ email_verified: false, roles: [], secret: null, created_at: 1_700_000_000 },
      claims: { name: 'Ada Lovelace', preferred_username: 'ada' },
    });
  });

  test.each([
    ['keycloak', 'a service account', keycloak, { ...keycloakUser, serviceAccountClientId: 'jobs' }],
    ['django', 'another model', django, { model: 'auth.group', pk: 1, fields: {} }],
  ])('of %s about %s is passed over', (_, __, format, line) => {
    expect(format.read(line, context)).toBeNull();
  });

  test.each<[string, string, ImportFormat, unknown]>([
    ['keycloak', 'nobody’s address', keycloak, { ...keycloakUser, email: undefined }],
    [
      'keycloak',
      'a hash nobody knows',
      keycloak,
      { ...keycloakUser, credentials: keycloakHash('fancy', 1, sha256) },
    ],
    [
      'keycloak',
      'half a credential',
      keycloak,
      { ...keycloakUser, credentials: [{ type: 'password', secretData: '{' }] },
    ],
    [
      'keycloak',
      'endless iterations',
      keycloak,
      { ...keycloakUser, credentials: keycloakHash('pbkdf2-sha256', 1e12, sha256) },
    ],
    [
      'auth0',
      'md5',
      auth0,
      custom({ algorithm: 'md5', hash: { value: '3f86d0d3d465b7b458c231bf3555c0e3', encoding: 'hex' } }),
    ],
    ['auth0', 'an hmac', auth0, custom({ algorithm: 'hmac', hash: { value: 'x' } })],
    [
      'auth0',
      'UTF-16',
      auth0,
      custom({ algorithm: 'sha1', hash: { value: 'x' }, password: { encoding: 'utf16le' } }),
    ],
    ['auth0', 'a number for a hash', auth0, custom({ algorithm: 'sha1', hash: 7 })],
    [
      'firebase',
      'another project’s key',
      firebase,
      { ...firebaseUser, passwordHash: 'AAAAAAAAAAAAAAAAAAAAAAAA' },
    ],
    ['firebase', 'nobody’s address', firebase, { ...firebaseUser, email: '' }],
    ['django', 'no model', django, { pk: 1 }],
    ['django', 'md5', django, djangoUser('md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3')],
  ])('of %s with %s is refused with a sentence', (_, __, format, line) => {
    expect(() => format.read(line, context)).toThrow(UserError);
  });

  test('of Firebase with a hash says that it needs the parameters of the project', () => {
    expect(() => firebase.read(firebaseUser, { firebase: null })).toThrow('--hash-config');
    expect(
      firebase.read({ ...firebaseUser, passwordHash: undefined }, { firebase: null })?.secret,
    ).toBeNull();
  });
});

describe('the parameters of Firebase’s hashes', () => {
  test('are read as the console shows them, and as JSON', () => {
    const { signer_key, salt_separator, ...rest } = context.firebase;
    const json = {
      base64_signer_key: signer_key.toString('base64'),
      base64_salt_separator: salt_separator.toString('base64'),
      ...rest,
    };
    expect(parseFirebaseConfig(JSON.stringify({ hash_config: json }))).toEqual(context.firebase);
    expect(parseFirebaseConfig(JSON.stringify(json, null, 2))).toEqual(context.firebase);
    expect(rest).toEqual({ rounds: 8, mem_cost: 14 });
  });

  test('that lack one name it', () => {
    expect(() => parseFirebaseConfig('{}')).toThrow(
      'base64_signer_key, base64_salt_separator, rounds, mem_cost',
    );
    expect(() => parseFirebaseConfig(console_text.replace('mem_cost: 14', ''))).toThrow('mem_cost');
  });
});
