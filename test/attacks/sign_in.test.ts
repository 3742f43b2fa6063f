/** Guessing passwords past the limits, and making the server write while it cannot answer. Hardening rows 14, 15 and 21. */
import { expect, test } from 'vitest';
import { setPassword } from '../../src/actions/users.js';
import { createHashingGate } from '../../src/limits/hashing_gate.js';
import { countRows } from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';

async function knownBrowser(idp: TestIdp): Promise<Browser> {
  const browser = idp.browser();
  expect((await signIn(browser, await browser.get('/login'))).html).toContain('You are signed in');
  return browser;
}

async function guesses(browser: Browser, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const page = await browser.get('/login');
    statuses.push((await signIn(browser, page, { password: `guess number ${sent}` })).status);
  }
  return statuses;
}

test('somebody who knew the old password and kept many known browsers guesses the new one no oftener than a stranger', async () => {
  const idp = await startIdp();
  const user = await idp.addUser();
  const browsers = [await knownBrowser(idp), await knownBrowser(idp), await knownBrowser(idp)];
  await setPassword(idp.deps, user.id, 'a new and better password', idp.now());
  const statuses: number[] = [];
  for (const browser of browsers) statuses.push(...(await guesses(browser, 5)));
  expect(statuses.filter((status) => status === 400)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
});

test('the owner’s browser is known again after one sign-in with the new password', async () => {
  const idp = await startIdp();
  const user = await idp.addUser();
  const own = await knownBrowser(idp);
  const password = 'a new and better password';
  await setPassword(idp.deps, user.id, password, idp.now());
  expect((await signIn(own, await own.get('/login'), { password })).status).toBe(200);
  await guesses(idp.browser(), 11);
  expect((await signIn(own, await own.get('/login'), { password })).status).toBe(200);
});

test('a storm of sign-ins that are answered 503 writes nothing', async () => {
  const hashing = createHashingGate({ slots: 1, queue: 1 });
  const idp = await startIdp({
    settings: { HASHING_SLOTS: '1', HASHING_QUEUE: '1' },
    substitutes: { hashing },
  });
  await idp.addUser();
  const browser = idp.browser();
  const page = await browser.get('/login');
  const before = await countRows(idp);
  const slow = { memoryCost: 65_536, timeCost: 10, parallelism: 1 };
  const full = Promise.all([hashing.hash('one', slow), hashing.hash('two', slow)]); // one is hashed, one waits
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => signIn(browser, page, { email: `${index}@example.com` })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(await countRows(idp)).toEqual(before);
  await full;
  hashing.close();
});
