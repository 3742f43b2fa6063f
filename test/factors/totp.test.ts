import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digitsOf, enrolment, matchingStep, newTotpKey, verifyTotp } from '../../src/factors/totp.js';
import { newId } from '../../src/secrets.js';
import * as credentials from '../../src/store/credentials.js';
import { engines } from '../support/database.js';
import { addApp, codeOf, wrongCode } from '../support/factors.js';
import { startIdp } from '../support/idp.js';

/** RFC 6238, appendix B: the last six of its eight digits, as six is what is left of the same number (RFC 4226 §5.3). */
const rfc_key = Buffer.from('12345678901234567890');

test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
])('at %i the code is %s (RFC 6238 appendix B)', (at, code) => {
  expect(matchingStep(rfc_key, code, at)).toBe(Math.floor(at / 30));
});

test('a clock may be off by one step either way, and by no more', () => {
  const steps = [-2, -1, 0, 1, 2].map((off) =>
    matchingStep(rfc_key, codeOf(rfc_key, 30_000 + 30 * off), 30_000),
  );
  expect(steps).toEqual([null, 999, 1000, 1001, null]);
});

test.each(['', '12345', '1234567', '28708a', '287082.0', '-287082e0', '２８７'])(
  '%j is no code, and no error',
  (code) => {
    expect(matchingStep(rfc_key, code, 59)).toBeNull();
  },
);

test('whatever is typed is looked at without an error', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (code) => void matchingStep(rfc_key, code, 59)));
});

test.each(['287 082', ' 287082\u200e', '287-082', '２８７０８２', '٢٨٧٠٨٢', '۲۸۷۰۸۲'])(
  '%j is how somebody types 287082',
  (typed) => {
    expect(digitsOf(typed)).toBe('287082');
  },
);

test('the URI of the QR code says what every authenticator app understands', () => {
  const { uri, secret } = enrolment(rfc_key, { issuer: 'Ours: & Co', account: 'ada@example.com' });
  const url = new URL(uri);
  expect([url.protocol, url.host]).toEqual(['otpauth:', 'totp']);
  expect(decodeURIComponent(url.pathname)).toContain('ada@example.com');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...{ issuer: 'Ours: & Co', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' },
    ...{ algorithm: 'SHA1', digits: '6', period: '30' },
  });
  expect(secret).toBe('GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ');
  expect(newTotpKey()).toHaveLength(20);
});

describe.each(engines)('an authenticator app on %s', (engine) => {
  async function start() {
    const idp = await startIdp({ engine });
    const { id: user_id } = await idp.addUser();
    const app = await addApp(idp, user_id);
    const ring = await idp.deps.keys.get();
    const verify = (code: string, of = user_id) =>
      idp.db.transaction((trx) => verifyTotp(trx, ring, { user_id: of, code }, idp.now()));
    return { idp, user_id, app, verify };
  }

  test('of twenty uses of one code at the same moment one counts, and none afterwards (RFC 6238 §5.2)', async () => {
    const { app, verify } = await start();
    const code = app.code();
    const uses = await Promise.all(Array.from({ length: 20 }, () => verify(code)));
    expect(uses.filter(Boolean)).toHaveLength(1);
    expect(await verify(code)).toBe(false);
  });

  test('an older code is not taken after a newer one, although both are in time', async () => {
    const { app, verify } = await start();
    expect([await verify(app.code(1)), await verify(app.code()), await verify(app.code(-1))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('of two apps either will do, and each has its own steps', async () => {
    const { idp, user_id, app, verify } = await start();
    const other = await addApp(idp, user_id);
    expect([await verify(app.code()), await verify(other.code()), await verify(other.code())]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('a key that was copied to the row of another person does not open there', async () => {
    const { idp, user_id, app, verify } = await start();
    const { id: eve } = await idp.addUser({ email: 'eve@example.com' });
    const [row] = await credentials.list(idp.db, user_id, 'totp');
    const copy = { id: newId(), user_id: eve, type: 'totp', secret: row?.secret ?? '' } as const;
    await credentials.insert(idp.db, { ...copy, created_at: 1, updated_at: 1 });
    expect([await verify(app.code(), eve), await verify(wrongCode(app))]).toEqual([false, false]);
    expect(await verify(app.code())).toBe(true);
  });
});
