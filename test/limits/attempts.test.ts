import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempt, reserve, sourceOf } from '../../src/limits/attempts.js';
import { giveBack } from '../../src/limits/counters.js';
import { digest } from '../../src/secrets.js';
import * as attempts from '../../src/store/attempts.js';
import { statement } from '../../src/store/statement.js';
import { anotherProcess } from '../support/another_process.js';
import { anyText } from '../support/arbitraries.js';
import { engines } from '../support/database.js';
import { startIdp, type TestIdp } from '../support/idp.js';

const limits = { ATTEMPTS_PER_ACCOUNT: 3, ATTEMPTS_PER_SOURCE: 6, ATTEMPTS_UNKNOWN_SOURCES: 10 };
const window = 15 * 60;

const guess = (change: Partial<Attempt> = {}): Attempt => ({
  account: 'ada',
  source: '4:192.0.2',
  device: null,
  ...change,
});

const attempt = (idp: TestIdp, change: Partial<Attempt> = {}) =>
  idp.db.transaction((trx) => reserve(trx, guess(change), limits, idp.now()));

/** How many of so many tries are let through. */
async function allowed(
  idp: TestIdp,
  times: number,
  change: (i: number) => Partial<Attempt>,
): Promise<number> {
  let count = 0;
  for (let i = 0; i < times; i += 1) if ((await attempt(idp, change(i))).allowed) count += 1;
  return count;
}

const all = statement<object, { key_hash: string; count: number; expires_at: number }>((sql) =>
  sql('attempts'),
);

describe.each(engines)('attempts on %s', (engine) => {
  test('at the same moment, also in two processes, cannot pass the limit together (hardening 14)', async () => {
    const idp = await startIdp({ engine });
    const other = await anotherProcess(idp);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? idp.db : other.db).transaction((trx) => reserve(trx, guess(), limits, idp.now())),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.allowed)).toHaveLength(limits.ATTEMPTS_PER_ACCOUNT);
  });

  test('that turned out right are given back, to all their counters, and never below none', async () => {
    const idp = await startIdp({ engine });
    for (let round = 0; round < 20; round += 1) {
      const outcome = await attempt(idp);
      if (!outcome.allowed) throw new Error('a right password uses nothing up');
      await idp.db.transaction((trx) => giveBack(trx, outcome.key_hashes));
    }
    const outcome = await attempt(idp);
    const key_hashes = outcome.allowed ? outcome.key_hashes : [];
    await idp.db.transaction((trx) => giveBack(trx, [...key_hashes, ...key_hashes]));
    expect((await idp.db.all(all, {})).map(({ count }) => count)).toEqual([0, 0, 0]);
    expect(await allowed(idp, 10, () => ({}))).toBe(limits.ATTEMPTS_PER_ACCOUNT);
  });

  test('are forgotten when the window is over, and counted anew', async () => {
    const idp = await startIdp({ engine });
    expect(await allowed(idp, 5, () => ({}))).toBe(3);
    idp.advance(window - 1);
    expect(await attempt(idp)).toEqual({ allowed: false, retry_after: 1 });
    idp.advance(1);
    expect(await allowed(idp, 5, () => ({}))).toBe(3);
  });
});

describe('attempts', () => {
  test('are limited per account and source, so that one source locks nobody out elsewhere (hardening 15)', async () => {
    const idp = await startIdp();
    expect(await allowed(idp, 5, () => ({}))).toBe(3);
    expect(await allowed(idp, 5, () => ({ source: '4:198.51.100' }))).toBe(3);
    expect((await attempt(idp, { account: 'bob' })).allowed).toBe(true);
  });

  test('of one source are limited over all accounts, and make no row for yet another account', async () => {
    const idp = await startIdp();
    expect(await allowed(idp, 50, (i) => ({ account: `user ${i}` }))).toBe(limits.ATTEMPTS_PER_SOURCE);
    // One row for the source, two for each account that was let through.
    expect(await idp.db.all(all, {})).toHaveLength(1 + 2 * limits.ATTEMPTS_PER_SOURCE);
  });

  test('for one account are limited over all unknown sources', async () => {
    const idp = await startIdp();
    expect(await allowed(idp, 50, (i) => ({ source: `4:10.0.${i}` }))).toBe(limits.ATTEMPTS_UNKNOWN_SOURCES);
  });

  test('from a known device have a counter of their own, which no stranger uses up', async () => {
    const idp = await startIdp();
    await allowed(idp, 50, (i) => ({ source: `4:10.0.${i}` }));
    expect((await attempt(idp)).allowed).toBe(false);
    expect(await allowed(idp, 5, () => ({ device: 'laptop' }))).toBe(3);
    expect(await allowed(idp, 5, () => ({ device: 'phone' }))).toBe(3);
  });

  test('tell how long to wait: until the window of the counter that is used up ends', async () => {
    const idp = await startIdp();
    await allowed(idp, 3, () => ({}));
    idp.advance(100);
    expect(await attempt(idp)).toEqual({ allowed: false, retry_after: window - 100 });
  });

  test('are stored under digests alone: no address, no account', async () => {
    const idp = await startIdp();
    await attempt(idp, { account: 'ada@example.com', source: '4:192.0.2' });
    const rows = await idp.db.all(all, {});
    expect(rows).toHaveLength(3);
    for (const { key_hash } of rows) expect(key_hash).toMatch(/^[\w-]{43}$/);
    expect(await attempts.find(idp.db, digest('account ada@example.com'))).toMatchObject({ count: 1 });
  });

  test('keep their counters apart, whatever an account is called', async () => {
    const idp = await startIdp();
    const account = fc.string({ maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(account, account, async (one, other) => {
        fc.pre(one !== other);
        const unlimited = {
          ATTEMPTS_PER_ACCOUNT: 1,
          ATTEMPTS_PER_SOURCE: 1e6,
          ATTEMPTS_UNKNOWN_SOURCES: 1e6,
        };
        idp.advance(window);
        const first = await idp.db.transaction((trx) =>
          reserve(trx, guess({ account: one }), unlimited, idp.now()),
        );
        const second = await idp.db.transaction((trx) =>
          reserve(trx, guess({ account: other }), unlimited, idp.now()),
        );
        expect([first.allowed, second.allowed]).toEqual([true, true]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the network of an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.255'],
    ['192.0.2.1', '::ffff:192.0.2.200'],
    ['192.0.2.1', '::FFFF:C000:0201'],
    ['2001:db8:0:1::1', '2001:DB8::1:ffff:ffff:ffff:ffff'],
    ['2001:db8::', '2001:0db8:0000:0000:1:2:3:4'],
    ['::1', '0:0:0:0:0:0:0:1'],
  ])('is the same for %s and %s (hardening 14)', (one, other) => {
    expect(sourceOf(one)).toBe(sourceOf(other));
  });

  test.each([
    ['192.0.2.1', '192.0.3.1'],
    ['2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['192.0.2.1', '2001:db8::1'],
    ['0.0.0.1', '::1'],
  ])('is another for %s and %s', (one, other) => {
    expect(sourceOf(one)).not.toBe(sourceOf(other));
  });

  test('is known for every address, and one and the same for what is none', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (v4, v6) => {
        expect(sourceOf(v4)).toMatch(/^4:\d+\.\d+\.\d+$/);
        expect(sourceOf(`::ffff:${v4}`)).toBe(sourceOf(v4));
        expect(sourceOf(v6)).toMatch(/^[46]:/);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(anyText(), (text) => {
        fc.pre(!/^[\da-f.:x]+$/i.test(text));
        expect(sourceOf(text)).toBe('unknown');
      }),
    );
  });
});
