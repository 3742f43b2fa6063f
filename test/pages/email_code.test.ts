/** Codes by mail as the second factor of people who need one and have no other: SALLYPORT_EMAIL_CODE. Hardening rows 9, 13, 14 and 15. */
import { describe, expect, test } from 'vitest';
import { openMail } from '../../src/mail/queue.js';
import * as sessions from '../../src/store/sessions.js';
import * as users from '../../src/store/users.js';
import { ask, codeOf, headingOf, kindOf } from '../support/authorize.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { engines } from '../support/database.js';
import { addApp, addRecoveryCodes, toFactor, typeCode } from '../support/factors.js';
import { startSite } from '../support/first_party.js';
import { authorizeUrl, redeem, responseOf, signIn } from '../support/flow.js';
import { type IdpOptions, startIdp, type TestIdp, type TestUser } from '../support/idp.js';
import { mailRows } from '../support/mails.js';

const mailed = { SECOND_FACTOR: 'required', EMAIL_CODE: 'on' };

async function start({ settings, ...options }: IdpOptions = {}, changes: Partial<TestUser> = {}) {
  const idp = await startIdp({ ...options, settings: { ...mailed, ...settings } });
  const user = await idp.addUser(changes);
  return { idp, user, living: () => sessions.listByUser(idp.db, user.id, idp.now()) };
}

/** The codes that were sent. */
async function codesSent(idp: TestIdp): Promise<readonly string[]> {
  const ring = await idp.deps.keys.get();
  return (await mailRows(idp)).flatMap((row) => {
    const message = openMail(ring, row)?.message;
    return message?.name === 'sign_in_code' ? [message.code] : [];
  });
}

const send = (browser: Browser, page: Page) => browser.submit(page, { action: 'send' });

/** Somebody who typed their password and had a code sent. */
async function sent(idp: TestIdp, path?: string, email?: string) {
  const { browser, page: asked } = await toFactor(idp, path, email);
  let page = asked;
  const code = await newCode(idp, async () => {
    page = await send(browser, asked);
  });
  expect(code).toMatch(/^\d{8}$/);
  return { browser, page, code };
}

/** The code that this sends. */
async function newCode(idp: TestIdp, send: () => Promise<unknown>): Promise<string> {
  const before = await codesSent(idp);
  await send();
  return (await codesSent(idp)).find((code) => !before.includes(code)) ?? '';
}

const wrongFor = (code: string) => `${code[0] === '9' ? '0' : '9'}${code.slice(1)}`;

describe.each(engines)('a code by mail, on %s', (engine) => {
  test('is sent when it is asked for, and gives a session with two factors', async () => {
    const { idp, living } = await start({ engine });
    const { browser, page: asked } = await toFactor(idp);
    expect([headingOf(asked), asked.html.includes('name="code"')]).toEqual(['Confirm that it is you', false]);
    expect(await codesSent(idp)).toEqual([]);
    const page = await send(browser, asked);
    const [code = ''] = await codesSent(idp);
    expect([code, page.html.includes('A code was sent')]).toEqual([expect.stringMatching(/^\d{8}$/), true]);
    expect(await living()).toEqual([]);
    expect(headingOf(await typeCode(browser, page, code))).toBe('You are signed in');
    expect(await living()).toMatchObject([{ amr: 'pwd otp mfa', acr: 'urn:sallyport:acr:two-factor' }]);
  });

  test('that is posted twenty times at once gives one session', async () => {
    const { idp, living } = await start({ engine });
    const { browser, page, code } = await sent(idp);
    const { hidden } = formOf(page.html);
    const body = () => new URLSearchParams({ ...hidden, code, action: 'continue' });
    await Promise.all(
      Array.from({ length: 20 }, () => browser.request('/factor', { method: 'POST', body: body() })),
    );
    expect(await living()).toHaveLength(1);
  });

  test('is asked for twenty times at once: three are sent, and one of them is good', async () => {
    const { idp, living } = await start({ engine, settings: { MAILS_PER_ADDRESS: '20' } });
    const { browser, page } = await toFactor(idp);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(browser, page)));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(17);
    const codes = await codesSent(idp);
    expect(codes).toHaveLength(3);
    const again = await browser.get('/factor');
    for (const code of codes) await typeCode(browser, again, code);
    expect(await living()).toHaveLength(1);
  });
});

type At = Awaited<ReturnType<typeof start>> & Awaited<ReturnType<typeof sent>>;

test.each<[attack: string, (at: At) => string | Promise<string>]>([
  ['a wrong one', ({ code }) => wrongFor(code)],
  ['a part of it', ({ code }) => code.slice(0, 7)],
  ['more than it', ({ code }) => `${code}0`],
  ['an empty one', () => ''],
  [
    'one that has expired',
    ({ idp, code }) => {
      idp.advance(600);
      return code;
    },
  ],
  [
    'one that a newer one was sent after',
    async ({ idp, browser, page, code }) => {
      await send(browser, page);
      expect(await codesSent(idp)).toHaveLength(2);
      return code;
    },
  ],
  ['one of another sign-in of the same person', async ({ idp }) => (await sent(idp)).code],
  [
    'one of another person',
    async ({ idp }) => {
      await idp.addUser({ email: 'eve@example.com' });
      return (await sent(idp, '/login', 'eve@example.com')).code;
    },
  ],
  [
    'one that was right, after five wrong ones',
    async ({ browser, page, code }) => {
      for (let guess = 0; guess < 5; guess += 1) await typeCode(browser, page, wrongFor(code));
      return code;
    },
  ],
  [
    'one that went to an address that is the person’s no more',
    async ({ idp, user, code }) => {
      const moved = { email: 'new@example.com', email_canonical: 'new@example.com' };
      await idp.db.transaction((trx) => users.changeEmail(trx, user.id, moved, idp.now()));
      return code;
    },
  ],
  [
    'one that was right, after an authenticator app was set up elsewhere',
    async ({ idp, user, code }) => {
      await addApp(idp, user.id);
      return code;
    },
  ],
])('%s gives no session (hardening row 13)', async (_, typed) => {
  const world = await start();
  const at = { ...world, ...(await sent(world.idp)) };
  const answer = await typeCode(at.browser, at.page, await typed(at));
  expect(answer.status).toBeLessThan(500);
  expect(await world.living()).toEqual([]);
});

test('the cookie of another browser is needed, and a code is good once (hardening row 9)', async () => {
  const { idp, living } = await start();
  const { browser, page, code } = await sent(idp);
  const thief = idp.browser();
  await thief.get('/login');
  expect(kindOf(await typeCode(thief, page, code))).toBe('/login');
  const cookies = new Map(browser.cookies);
  await typeCode(browser, page, code);
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  browser.cookies.delete('sallyport_session');
  await typeCode(browser, page, code);
  expect(await living()).toHaveLength(1);
});

describe('limits (hardening rows 14 and 15)', () => {
  test('ten wrong codes for an account, however often it is begun anew', async () => {
    const { idp } = await start({ settings: { MAILS_PER_ADDRESS: '20' } });
    const statuses: number[] = [];
    for (let begun = 0; begun < 3; begun += 1) {
      const { browser, page, code } = await sent(idp);
      for (let guess = 0; guess < 5; guess += 1)
        statuses.push((await typeCode(browser, page, wrongFor(code))).status);
    }
    expect(statuses).toEqual([...Array(10).fill(400), ...Array(5).fill(429)]);
  });

  test('three codes for a sign-in, and so many for an address in an hour; strangers who ask for mails take none of them', async () => {
    const { idp } = await start({ settings: { MAILS_PER_ADDRESS: '4' } });
    const stranger = idp.browser();
    for (let times = 0; times < 5; times += 1)
      await stranger.submit(await stranger.get('/forgot-password'), { email: 'ada@example.com' });
    const { browser, page } = await sent(idp);
    const statuses = [await send(browser, page), await send(browser, page), await send(browser, page)];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    const again = await sent(idp);
    expect([again.page.status, (await send(again.browser, again.page)).status]).toEqual([200, 429]);
    expect(await codesSent(idp)).toHaveLength(4);
    idp.advance(3600);
    expect((await sent(idp)).page.status).toBe(200);
  });
});

test.each<[string, Record<string, string>, Partial<TestUser>, string]>([
  ['it is required of everybody', {}, {}, 'Confirm that it is you'],
  [
    'it is required of their role',
    { SECOND_FACTOR: 'off', SECOND_FACTOR_ROLES: 'admin' },
    { roles: ['admin'] },
    'Confirm that it is you',
  ],
  [
    'it is required, and the address is not verified',
    {},
    { email_verified: false },
    'Set up a second factor',
  ],
  ['the setting is off', { EMAIL_CODE: 'off' }, {}, 'Set up a second factor'],
  ['a second factor is optional', { SECOND_FACTOR: 'optional' }, {}, 'You are signed in'],
])('where %s, the password leads on as it should', async (_, settings, changes, heading) => {
  const { idp } = await start({ settings }, changes);
  expect(headingOf((await toFactor(idp)).page)).toBe(heading);
});

test('whoever has an authenticator app is not offered it, nor gets it by asking: a stolen mailbox is not enough', async () => {
  const { idp, user, living } = await start();
  await addApp(idp, user.id);
  await addRecoveryCodes(idp, user.id);
  const { browser, page } = await toFactor(idp, '/login');
  expect(page.html).not.toContain('email_code');
  expect((await browser.get('/factor?way=email_code')).html).not.toContain('id="send"');
  expect((await browser.submit(page, { way: 'email_code', action: 'send' })).status).toBe(403);
  expect([await codesSent(idp), await living()]).toEqual([[], []]);
});

test('nobody sets a factor of their own up in its place with the password alone', async () => {
  const { idp, living } = await start();
  const { browser, page } = await toFactor(idp);
  expect(kindOf(await browser.get('/enrol'))).toBe('/factor');
  const { hidden } = formOf(page.html);
  for (const action of ['add', 'later'])
    expect(kindOf(await browser.post('/enrol', { ...hidden, action, code: '1' }))).toBe('/factor');
  expect(await living()).toEqual([]);
});

test('an application that demands phr does not get it by a code; one that demands two factors does, by a step-up too', async () => {
  const { idp } = await start({ settings: { REMEMBER_DEVICE_SECONDS: '86400' } });
  const shop = await idp.addClient({}, 'shop');
  const demand = (acr: string) => ({
    claims: JSON.stringify({ id_token: { acr: { essential: true, value: acr } } }),
  });
  const { browser, page, code } = await sent(idp, authorizeUrl('shop', demand('phr')));
  const refused = await browser.submit(page, { code, action: 'continue', remember: 'yes' });
  expect(responseOf(refused).error).toBe('unmet_authentication_requirements');

  // A browser that was spared the code is asked for it where two factors are demanded.
  browser.cookies.delete('sallyport_session');
  expect(headingOf(await signIn(browser, await browser.get('/login')))).toBe('You are signed in');
  const asked = await ask(browser, 'shop', demand('urn:sallyport:acr:two-factor'));
  expect(kindOf(asked)).toBe('/factor');
  const second = await newCode(idp, () => send(browser, asked));
  const done = await typeCode(
    browser,
    await ask(browser, 'shop', demand('urn:sallyport:acr:two-factor')),
    second,
  );
  const { body } = await redeem(idp, shop, codeOf(done));
  const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ acr: 'urn:sallyport:acr:two-factor', amr: ['pwd', 'otp', 'mfa'] });
});

test('in a browser that is spared the code the password alone changes neither factors nor the address', async () => {
  const { idp } = await start();
  const { browser, page, code } = await sent(idp);
  await browser.submit(page, { code, action: 'continue', remember: 'yes' });
  browser.cookies.delete('sallyport_session');
  expect(headingOf(await signIn(browser, await browser.get('/login')))).toBe('You are signed in');
  for (const path of ['/account/security/app', '/account/passkeys/add', '/account/email'])
    expect([path, kindOf(await browser.get(path))]).toEqual([path, '/factor']);
  const asked = await browser.get('/account/security/app');
  let again = asked;
  const second = await newCode(idp, async () => {
    again = await send(browser, asked);
  });
  expect(headingOf(await typeCode(browser, again, second))).toBe('Set up an authenticator app');
});

test('the first-party API names no way to go on: codes by mail are for the pages', async () => {
  const site = await startSite({ settings: mailed });
  const { status, body } = await site.app('/users/login', site.credentials);
  expect([status, body.error, body.mfa_methods]).toEqual([401, 'mfa_required', []]);
});
