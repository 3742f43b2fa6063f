import { describe, expect, test } from 'vitest';
import { hashPassword, isOutdated, verifyPassword } from '../../src/factors/password.js';
import * as credentials from '../../src/store/credentials.js';
import { signIn } from '../support/flow.js';
import { password, startIdp, type TestIdp } from '../support/idp.js';

const config = { ARGON2_MEMORY_KIB: 7168, ARGON2_PASSES: 1, ARGON2_LANES: 1 };

async function secretOf(idp: TestIdp, user_id: string): Promise<string> {
  return (await credentials.find(idp.db, user_id, 'password'))?.secret ?? '';
}

async function enter(idp: TestIdp): Promise<number> {
  const browser = idp.browser();
  return (await signIn(browser, await browser.get('/login'))).status;
}

describe('a hash', () => {
  test('that was just made is not outdated, whatever the parameters', async () => {
    const idp = await startIdp();
    for (const change of [{}, { ARGON2_PASSES: 2 }, { ARGON2_LANES: 2 }, { ARGON2_MEMORY_KIB: 8192 }]) {
      const settings = { ...config, ...change };
      expect(isOutdated(settings, await hashPassword(idp.deps.hashing, settings, password))).toBe(false);
    }
  });

  test.each([
    ['less memory', '$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHQ$AAAA'],
    ['more memory', '$argon2id$v=19$m=71680,t=1,p=1$c2FsdHNhbHQ$AAAA'],
    ['more passes', '$argon2id$v=19$m=7168,t=12,p=1$c2FsdHNhbHQ$AAAA'],
    ['more lanes', '$argon2id$v=19$m=7168,t=1,p=4$c2FsdHNhbHQ$AAAA'],
    ['argon2i', '$argon2i$v=19$m=7168,t=1,p=1$c2FsdHNhbHQ$AAAA'],
    ['the first version of argon2', '$argon2id$v=16$m=7168,t=1,p=1$c2FsdHNhbHQ$AAAA'],
    ['nothing that is known here', '$2b$12$abcdefghijklmnopqrstuv'],
  ])('with %s is outdated', (_, hash) => {
    expect(isOutdated(config, hash)).toBe(true);
  });

  test.each([
    '$argon2id$v=19$m=7168,t=1,p=1$c2FsdHNhbHQ$AAAA',
    '$argon2id$v=19$m=7168,p=1,t=1$c2FsdHNhbHQ$AAAA',
  ])('is up to date in whatever order its parameters stand: %s', (hash) => {
    expect(isOutdated(config, hash)).toBe(false);
  });

  test('with older parameters is renewed at the next sign-in, once, and the password stays the same', async () => {
    const idp = await startIdp({ settings: { ARGON2_PASSES: '2' } });
    const { id } = await idp.addUser();
    const old = await hashPassword(idp.deps.hashing, config, password);
    const before = await credentials.find(idp.db, id, 'password');
    await credentials.renew(idp.db, before?.id ?? '', before?.secret ?? '', old, idp.now());

    expect(await enter(idp)).toBe(200);
    const renewed = await secretOf(idp, id);
    expect(renewed).toContain('t=2');
    expect(await enter(idp)).toBe(200);
    expect(await secretOf(idp, id)).toBe(renewed);
  });
});

describe('a password', () => {
  test('fits in composed and decomposed letters alike (NFC)', async () => {
    const { deps } = await startIdp();
    const hash = await hashPassword(deps.hashing, config, 'mon caf\u00e9 noir');
    expect(await verifyPassword(deps.hashing, config, 'mon cafe\u0301 noir', hash)).toBe(true);
  });

  test.each([
    ['another', 'correct horse battery stapler'],
    ['the same in capitals', password.toUpperCase()],
    ['the same with a space behind it', `${password} `],
    ['nothing', ''],
  ])('does not fit when it is %s', async (_, tried) => {
    const { deps } = await startIdp();
    const hash = await hashPassword(deps.hashing, config, password);
    expect(await verifyPassword(deps.hashing, config, tried, hash)).toBe(false);
  });

  test('is never cut off: of two long ones that differ in the last byte, one fits (hardening 21)', async () => {
    const { deps } = await startIdp();
    const long = 'x'.repeat(1023);
    const hash = await hashPassword(deps.hashing, config, `${long}a`);
    expect(await verifyPassword(deps.hashing, config, `${long}a`, hash)).toBe(true);
    expect(await verifyPassword(deps.hashing, config, `${long}b`, hash)).toBe(false);
    expect(await verifyPassword(deps.hashing, config, `${long}ab`, hash)).toBe(false);
  });

  test('for somebody there is not costs one hash like any other, and never fits', async () => {
    const { deps } = await startIdp();
    const asked: string[] = [];
    const spy = {
      ...deps.hashing,
      verify: (hash: string, tried: string) => {
        asked.push(hash);
        return deps.hashing.verify(hash, tried);
      },
    };
    expect(await verifyPassword(spy, config, password, undefined)).toBe(false);
    expect(asked).toHaveLength(1);
    expect(isOutdated(config, asked[0] ?? '')).toBe(false);
  });
});
