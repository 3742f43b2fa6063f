import { describe, expect, test } from 'vitest';
import { disableUser } from '../../src/actions/users.js';
import { createHashingGate } from '../../src/limits/hashing_gate.js';
import { countRows } from '../support/authorize.js';
import { startSite } from '../support/first_party.js';
import { countingGate } from '../support/idp.js';
import { atOnce } from '../support/shop.js';

const login = '/users/login';

describe('guessing passwords here', () => {
  test('an unknown person, a disabled one and a wrong password: one answer, one entry at the gate (hardening 16)', async () => {
    const hashing = countingGate();
    const { idp, user, app, credentials } = await startSite({ substitutes: { hashing } });
    const wrong = await app(login, { ...credentials, password: 'wrong' });
    const unknown = await app(login, { ...credentials, email: 'nobody@example.com' });
    await disableUser(idp.deps, user.id, idp.now());
    const disabled = await app(login, credentials);
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant']);
    for (const answer of [unknown, disabled])
      expect([answer.status, answer.body]).toEqual([wrong.status, wrong.body]);
    expect(hashing.entered).toBe(3);
  });

  test('counts with the guesses on the login page: neither is a way around the other (hardening 14)', async () => {
    const { idp, app, credentials } = await startSite();
    const guess = () => app(login, { ...credentials, password: 'wrong' });
    for (let sent = 0; sent < 6; sent += 1) expect((await guess()).status).toBe(400);
    const browser = idp.browser();
    for (let sent = 0; sent < 4; sent += 1) {
      const page = await browser.get('/login');
      await browser.submit(page, { email: 'ada@example.com', password: 'wrong', action: 'sign_in' });
    }
    const refused = await app(login, credentials);
    expect([refused.status, refused.body.error]).toEqual([429, 'invalid_request']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    idp.advance(15 * 60 + 1);
    expect((await app(login, credentials)).status).toBe(200);
  });

  test('thirty at the same moment: ten are checked', async () => {
    const hashing = countingGate();
    const { app, credentials } = await startSite({ substitutes: { hashing } });
    const answers = await atOnce(30, () => app(login, { ...credentials, password: 'wrong' }));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    expect(hashing.entered).toBe(10);
  });

  test('a browser that signed in before is not locked out by strangers (hardening 15)', async () => {
    const { signedIn, page, app, credentials } = await startSite();
    const browser = await signedIn();
    for (let sent = 0; sent < 11; sent += 1) await app(login, { ...credentials, password: 'wrong' });
    expect((await app(login, credentials)).status).toBe(429);
    expect((await page(browser, login, credentials)).status).toBe(200);
  });

  test('when the queue is full the answer is 503, and nothing is written', async () => {
    const hashing = createHashingGate({ slots: 1, queue: 1 });
    const settings = { HASHING_SLOTS: '1', HASHING_QUEUE: '1' };
    const { idp, app, credentials } = await startSite({ settings, substitutes: { hashing } });
    const before = await countRows(idp);
    const slow = { memoryCost: 65_536, timeCost: 10, parallelism: 1 };
    const full = Promise.all([hashing.hash('one', slow), hashing.hash('two', slow)]);
    const { status, headers, body } = await app(login, credentials);
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await countRows(idp)).toEqual(before);
    await full;
    hashing.close();
  });
});
