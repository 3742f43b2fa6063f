import { describe, expect, test } from 'vitest';
import { disableUser } from '../../src/actions/users.js';
import { createHashingGate } from '../../src/limits/hashing_gate.js';
import { statement } from '../../src/store/statement.js';
import type { Browser, Page } from '../support/browser.js';
import { engines } from '../support/database.js';
import { signIn } from '../support/flow.js';
import { countingGate, password, startIdp, type TestIdp } from '../support/idp.js';
import { atOnce } from '../support/shop.js';

const behindProxy = { TRUSTED_PROXIES: '127.0.0.1' };

interface Guess {
  readonly email?: string;
  readonly password?: string;
  /** X-Forwarded-For. */
  readonly from?: string;
}

/** Tries to sign in, from a browser that was never here unless one is given. Gives the answer to the form, or what it leads to. */
async function guess(idp: TestIdp, attempt: Guess = {}, browser: Browser = idp.browser()): Promise<Page> {
  const { html } = await browser.get('/login');
  const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1];
  const { email = 'ada@example.com', from } = attempt;
  const form = { csrf, email, password: attempt.password ?? 'wrong', action: 'sign_in' };
  return browser.post('/login', form, from === undefined ? {} : { 'x-forwarded-for': from });
}

async function statusesOf(idp: TestIdp, attempts: readonly Guess[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const attempt of attempts) statuses.push((await guess(idp, attempt)).status);
  return statuses;
}

const times = (count: number, attempt: Guess = {}) => Array.from({ length: count }, () => attempt);
const right = { password };

const counters = statement<Record<never, never>, { count: number }>((sql) => sql('attempts'));

async function counted(idp: TestIdp): Promise<number[]> {
  return (await idp.db.all(counters, {})).map((row) => row.count).sort();
}

describe.each(engines)('guessing passwords on %s', (engine) => {
  test('thirty guesses at the same moment: ten are checked, the others are refused unchecked (hardening 14, HTTP-23)', async () => {
    const hashing = countingGate();
    const idp = await startIdp({ engine, substitutes: { hashing } });
    await idp.addUser();
    const answers = await atOnce(30, () => guess(idp));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    expect(hashing.entered).toBe(10);
  });

  test('the right password among twenty wrong ones at the same moment does not lift the limit', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    const answers = await atOnce(20, () => guess(idp)).then(async (wrong) => [
      ...wrong,
      await guess(idp, right),
    ]);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
    expect(answers.at(-1)?.status).toBe(429);
  });

  test('a success gives back what it reserved, and only that (decisions 13)', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    expect(await statusesOf(idp, times(9))).toEqual(times(9).map(() => 400));
    expect(await statusesOf(idp, times(3, right))).toEqual([200, 200, 200]);
    expect(await counted(idp)).toEqual([9, 9, 9]); // this source, this account from here, this account from anywhere
    expect(await statusesOf(idp, times(2))).toEqual([400, 429]);
  });
});

describe('after ten failures for one account from one source', () => {
  test('even the right password is refused with 429 and Retry-After, until 15 minutes are over (HTTP-23)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await statusesOf(idp, times(10));
    idp.advance(300);
    const refused = await guess(idp, right);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '600']);
    expect(refused.html).toContain('10 minutes');
    expect(refused.html).toContain('value="ada@example.com"'); // the form, to try again later

    idp.advance(599);
    expect((await guess(idp, right)).status).toBe(429);
    idp.advance(1);
    expect((await guess(idp, right)).status).toBe(200);
  });

  test.each([
    ['in capitals', 'ADA@EXAMPLE.COM'],
    ['with space around it', '  ada@example.com '],
  ])('the same account %s is refused as well (hardening 14)', async (_, email) => {
    const idp = await startIdp();
    await idp.addUser();
    await statusesOf(idp, times(10));
    expect((await guess(idp, { email, password })).status).toBe(429);
  });

  test('an address in another Unicode form counts as the same', async () => {
    const idp = await startIdp();
    await idp.addUser({ email: 'zoë@example.com' });
    await statusesOf(idp, times(10, { email: 'zoë@example.com'.normalize('NFD') }));
    expect((await guess(idp, { email: 'zoë@example.com', password })).status).toBe(429);
  });

  test('another account from the same source is not', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addUser({ email: 'grace@example.com' });
    await statusesOf(idp, times(10));
    expect((await guess(idp, { email: 'grace@example.com', password })).status).toBe(200);
  });

  test('an address that nobody has is refused in the same way (hardening 16)', async () => {
    const idp = await startIdp();
    const statuses = await statusesOf(idp, times(11, { email: 'nobody@example.com' }));
    expect(statuses).toEqual([...times(10).map(() => 400), 429]);
  });
});

describe('one source', () => {
  test.each([
    [
      '2001:db8:0:1::1',
      '2001:0db8:0000:0001:0000:0000:0000:0002',
      '2001:DB8:0:1:ffff::',
      '2001:db8:0:1::203.0.113.9',
    ],
    ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '203.0.113.200'],
    ['203.0.113.9', '198.51.100.1, 203.0.113.9', 'rubbish, 203.0.113.9', '10.9.8.7,203.0.113.9'],
  ])('is %s however it is written: %s, %s, %s', async (...forms) => {
    const idp = await startIdp({ settings: { ...behindProxy, ATTEMPTS_PER_ACCOUNT: '3' } });
    await idp.addUser();
    expect(
      await statusesOf(
        idp,
        forms.map((from) => ({ from })),
      ),
    ).toEqual([400, 400, 400, 429]);
  });

  test.each([
    ['two /64 networks', '2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['two /24 networks', '203.0.113.9', '203.0.112.9'],
  ])('is not two: %s', async (_, first, second) => {
    const idp = await startIdp({ settings: { ...behindProxy, ATTEMPTS_PER_ACCOUNT: '3' } });
    await idp.addUser();
    expect(await statusesOf(idp, times(4, { from: first }))).toEqual([400, 400, 400, 429]);
    expect((await guess(idp, { ...right, from: second })).status).toBe(200);
  });

  test('somebody writes X-Forwarded-For themselves: without a trusted proxy it counts for nothing (BCP-09)', async () => {
    const idp = await startIdp({ settings: { ATTEMPTS_PER_ACCOUNT: '3' } });
    await idp.addUser();
    const attempts = [1, 2, 3, 4].map((network) => ({ from: `203.0.${network}.1` }));
    expect(await statusesOf(idp, attempts)).toEqual([400, 400, 400, 429]);
  });

  test('has a limit over all accounts, and makes no rows for further ones', async () => {
    const idp = await startIdp({ settings: { ...behindProxy, ATTEMPTS_PER_SOURCE: '10' } });
    await idp.addUser();
    const spray = Array.from({ length: 15 }, (_, at) => ({ email: `user${at}@example.com` }));
    const statuses = await statusesOf(idp, spray);
    expect(statuses).toEqual([...times(10).map(() => 400), ...times(5).map(() => 429)]);
    expect(await counted(idp)).toHaveLength(1 + 2 * 10);
    expect((await guess(idp, { ...right, from: '203.0.113.9' })).status).toBe(200); // others go on
  });
});

describe('a known browser', () => {
  /** Strangers have used up what an account has over all unknown sources. */
  async function besieged() {
    const idp = await startIdp({ settings: { ...behindProxy, ATTEMPTS_UNKNOWN_SOURCES: '5' } });
    await idp.addUser();
    await idp.addUser({ email: 'grace@example.com' });
    const known = idp.browser();
    await guess(idp, right, known);
    const statuses = await statusesOf(
      idp,
      [1, 2, 3, 4, 5, 6].map((network) => ({ from: `203.0.${network}.1` })),
    );
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
    return { idp, known };
  }

  test('lets its owner in while strangers try to lock them out (hardening 15)', async () => {
    const { idp, known } = await besieged();
    expect((await guess(idp, { ...right, from: '198.51.100.1' })).status).toBe(429); // a new browser has to wait
    expect((await guess(idp, { ...right, from: '198.51.100.1' }, known)).status).toBe(200);
  });

  test('has ten guesses of its own, from wherever it guesses', async () => {
    const { idp, known } = await besieged();
    const statuses: number[] = [];
    for (let at = 0; at < 11; at += 1)
      statuses.push((await guess(idp, { from: `198.51.${at}.1` }, known)).status);
    expect(statuses).toEqual([...times(10).map(() => 400), 429]);
    expect((await guess(idp, right, known)).status).toBe(429);
    idp.advance(900);
    expect((await guess(idp, right, known)).status).toBe(200);
  });

  test('is known for the accounts that signed in there, and for no other', async () => {
    const { idp } = await besieged();
    const gracesOwn = idp.browser();
    expect((await guess(idp, { email: 'grace@example.com', password }, gracesOwn)).status).toBe(200);
    expect((await guess(idp, right, gracesOwn)).status).toBe(429);
  });

  test.each([
    [
      'another id under the same mark',
      (cookie: string) => `${cookie.startsWith('x') ? 'y' : 'x'}${cookie.slice(1)}`,
    ],
    ['a made-up mark', (cookie: string) => `${cookie.split('.')[0]}.${'A'.repeat(43)}`],
    ['the id without a mark', (cookie: string) => cookie.split('.')[0] ?? ''],
    ['more marks than there can be', (cookie: string) => `${cookie}${`.${'A'.repeat(43)}`.repeat(9)}`],
    ['rubbish', () => '....'],
  ])('is not: one whose cookie holds %s', async (_, forge) => {
    const { idp, known } = await besieged();
    known.cookies.set('sallyport_device', forge(known.cookies.get('sallyport_device') ?? ''));
    expect((await guess(idp, right, known)).status).toBe(429);
  });

  test('keeps the marks of the last eight accounts', async () => {
    const { idp, known } = await besieged();
    const emails = Array.from({ length: 8 }, (_, at) => `user${at}@example.com`);
    for (const email of emails) {
      await idp.addUser({ email });
      await guess(idp, { email, password, from: '198.51.100.1' }, known);
    }
    expect(known.cookies.get('sallyport_device')?.split('.')).toHaveLength(9);
    expect((await guess(idp, right, known)).status).toBe(429); // Ada's was the oldest
  });
});

test('an unknown address, a wrong password and a disabled account get the same answer (hardening 16)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const { id } = await idp.addUser({ email: 'bob@example.com' });
  await disableUser(idp.deps, id, idp.now());
  const answers: string[] = [];
  for (const attempt of [
    { email: 'ada@example.com' },
    { email: 'eve@example.com' },
    { email: 'bob@example.com', password },
  ]) {
    const { status, html } = await guess(idp, attempt);
    const varying = [attempt.email, /name="csrf" value="[^"]*"/.exec(html)?.[0] ?? ''];
    answers.push(varying.reduce((text, part) => text.replaceAll(part, ''), `${status} ${html}`));
  }
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toContain('not right');
});

describe('a flood of sign-ins', () => {
  test('is answered 503 with Retry-After when the queue of hashes is full, and counts as no attempt (decisions 14)', async () => {
    const hashing = createHashingGate({ slots: 1, queue: 1 });
    const idp = await startIdp({ substitutes: { hashing } });
    await idp.addUser();
    const slow = { memoryCost: 65_536, timeCost: 10, parallelism: 1 };
    const busy = Promise.all([hashing.hash('one', slow), hashing.hash('two', slow)]); // one is hashed, one waits

    const refused = await guess(idp, right);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '3']);
    expect(refused.html).toContain('Please try again in a few seconds.');
    expect(refused.html).toContain('name="password"');
    expect(await counted(idp)).toEqual([0, 0, 0]);

    await busy;
    const browser = idp.browser();
    expect((await signIn(browser, await browser.get('/login'))).status).toBe(200);
    hashing.close();
  });
});
