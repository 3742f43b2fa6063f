import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalRecoveryCode, newRecoveryCode, useRecoveryCode } from '../../src/factors/recovery_code.js';
import * as credentials from '../../src/store/credentials.js';
import { engines } from '../support/database.js';
import { addRecoveryCodes } from '../support/factors.js';
import { startIdp } from '../support/idp.js';

test('a code is ten characters that nobody misreads, in two groups', () => {
  const codes = Array.from({ length: 500 }, newRecoveryCode);
  for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
  expect(new Set(codes).size).toBe(500);
  expect(new Set(codes.join('')).size).toBe(33); // all 32 characters, and the hyphen
});

test.each([
  '0k1m2-abcde',
  'OK1M2-ABCDE',
  'ok1m2 abcde',
  ' 0kIm2–abcde\n',
  '0klm2abcde',
  '０ｋ１ｍ２-ａｂｃｄｅ',
])('%j is how somebody types 0k1m2-abcde', (typed) => {
  expect(canonicalRecoveryCode(typed)).toBe('0k1m2abcde');
});

test('whatever is typed is read without an error, and what is read is read the same again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (typed) => {
      const read = canonicalRecoveryCode(typed);
      expect(read === undefined || canonicalRecoveryCode(read) === read).toBe(true);
    }),
  );
});

describe.each(engines)('recovery codes on %s', (engine) => {
  async function start() {
    const idp = await startIdp({ engine });
    const { id: user_id } = await idp.addUser();
    const codes = await addRecoveryCodes(idp, user_id);
    const ring = await idp.deps.keys.get();
    const use = (code: string, of = user_id) =>
      idp.db.transaction((trx) => useRecoveryCode(trx, ring, { user_id: of, code }));
    return { idp, user_id, codes, use };
  }

  test('are ten, each good once: of twenty uses at the same moment one counts', async () => {
    const { codes, use } = await start();
    const [first = ''] = codes;
    const uses = await Promise.all(Array.from({ length: 20 }, () => use(first)));
    expect([codes.length, uses.filter(Boolean).length, await use(first)]).toEqual([10, 1, false]);
    expect(await use(codes[1]?.toUpperCase() ?? '')).toBe(true);
  });

  test('of another person, or replaced, are good for nothing', async () => {
    const { idp, user_id, codes, use } = await start();
    const { id: eve } = await idp.addUser({ email: 'eve@example.com' });
    expect(await use(codes[0] ?? '', eve)).toBe(false);
    const replaced = await addRecoveryCodes(idp, user_id);
    expect([await use(codes[0] ?? ''), await use(replaced[0] ?? '')]).toEqual([false, true]);
  });

  test('are nowhere in the database, nor is anything that they follow from without its key', async () => {
    const { idp, user_id, codes } = await start();
    const rows = await credentials.list(idp.db, user_id, 'recovery_code');
    for (const code of codes) expect(JSON.stringify(rows)).not.toContain(code.slice(0, 5));
  });
});
