/** People as other systems export them. The hashes are of published vectors. */
import { parseFirebaseConfig } from '../../src/cli/import_formats/firebase_config.js';

/** github.com/firebase/scrypt, README, as the console shows it. */
export const console_text = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}`;
export const context = { firebase: parseFirebaseConfig(console_text) };

export const keycloakUser = {
  id: 'e5c3ab1c-6b29-4e6d-8f0c-0f2d1d7b6c11',
  username: 'ada',
  email: 'ada@example.com',
  emailVerified: true,
  enabled: true,
  firstName: 'Ada',
  lastName: 'Lovelace',
  createdTimestamp: 1_700_000_000_123,
  attributes: { locale: ['en'], phoneNumber: ['+44 1'], department: ['x'] },
  realmRoles: ['admin', 'default-roles-main'],
  requiredActions: [],
  totp: false,
};
export const keycloakHash = (algorithm: string, iterations: number, secret: object, more: object = {}) => [
  { type: 'otp', secretData: '{}', credentialData: '{}' },
  {
    type: 'password',
    secretData: JSON.stringify({ ...secret, additionalParameters: {} }),
    credentialData: JSON.stringify({ hashIterations: iterations, algorithm, additionalParameters: more }),
  },
];
/** RFC 7914 §11 and RFC 6070 §2. */
export const sha256 = {
  value: 'VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw==',
  salt: 'c2FsdA==',
};
export const sha1 = { value: 'SwB5AbdlSJq+rUnZJvch0GWkKcE=', salt: 'c2FsdA==' };
/** phc-winner-argon2, src/test.c. */
export const argon2 = { value: 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc=', salt: 'c29tZXNhbHQ=' };
export const argon2Parameters = {
  memory: ['65536'],
  parallelism: ['1'],
  type: ['id'],
  version: ['1.3'],
  hashLength: ['32'],
};

export const auth0User = {
  _id: { $oid: '5f7c8ec7c33c6c004bbafe82' },
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada',
  tenant: 'main',
  connection: 'Username-Password-Authentication',
  created_at: '2023-11-14T22:13:20.000Z',
};
export const bcrypt = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
export const custom = (hash: object) => ({ ...auth0User, custom_password_hash: hash });

export const firebaseUser = {
  localId: 'rHBF2Rd8tVWzbQ',
  email: 'ada@example.com',
  emailVerified: true,
  displayName: 'Ada',
  phoneNumber: '+441',
  createdAt: '1700000000123',
  lastSignedInAt: '1700000100000',
  disabled: false,
  providerUserInfo: [],
  passwordHash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  salt: '42xEC+ixf3L2lw==',
};

export const djangoUser = (password: string) => ({
  model: 'auth.user',
  pk: 7,
  fields: {
    username: 'ada',
    email: 'ada@example.com',
    password,
    first_name: 'Ada',
    last_name: 'Lovelace',
    is_active: true,
    is_superuser: true,
    date_joined: '2023-11-14T22:13:20Z',
    groups: [],
  },
});
