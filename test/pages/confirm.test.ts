/** Proving again who one is before something sensitive: POST /confirm. Hardening rows 5, 9 and 14. */
import { describe, expect, test } from 'vitest';
import { setPassword } from '../../src/actions/users.js';
import { backFromConfirm } from '../../src/http/recent_proof.js';
import * as credentials from '../../src/store/credentials.js';
import * as sessions from '../../src/store/sessions.js';
import { signedInBrowser } from '../support/authorize.js';
import { type Browser, formOf } from '../support/browser.js';
import { engines } from '../support/database.js';
import { addApp, wrongCode } from '../support/factors.js';
import { password, startIdp, type TestIdp } from '../support/idp.js';
import { givePasskey } from '../support/passkeys.js';

async function start(options: Parameters<typeof startIdp>[0] = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser();
  const browser = await signedInBrowser(idp);
  idp.advance(201); // 301 seconds after the sign-in
  const open = () => browser.request('/confirm?to=/account/security');
  return { idp, user, browser, open };
}

const sessionOf = async (idp: TestIdp, user_id: string) =>
  (await sessions.listByUser(idp.db, user_id, idp.now()))[0];

/** Posts the form without following what it leads to. */
async function confirm(browser: Browser, html: string, fields: Record<string, string>) {
  const { action, hidden } = formOf(html);
  const body = new URLSearchParams({ ...hidden, ...fields });
  return browser.request(action, { method: 'POST', body });
}

describe.each(engines)('/confirm on %s', (engine) => {
  test('a password makes the proof recent: a new cookie for the same session, auth_time stays, and back to the page', async () => {
    const { idp, user, browser, open } = await start({ engine });
    const before = await sessionOf(idp, user.id);
    const cookie = browser.cookies.get('sallyport_session');
    const page = await open();
    expect(page.html).toContain('ada@example.com');
    const done = await confirm(browser, page.html, { password });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/account/security']);
    expect(browser.cookies.get('sallyport_session')).not.toBe(cookie);
    const after = await sessionOf(idp, user.id);
    expect(after).toEqual({
      ...before,
      token_hash: after?.token_hash,
      proven_at: idp.now(),
      last_seen_at: idp.now(),
      expires_at: after?.expires_at,
    });
    expect((await open()).headers.get('location')).toBe('/account/security'); // recent now: nothing is asked
  });

  test('of twenty confirmations at once one gives the cookie, and the session is one', async () => {
    const { idp, user, browser, open } = await start({ engine });
    const { html } = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => confirm(browser, html, { password })));
    expect(answers.filter(({ status }) => status === 303)).not.toHaveLength(0);
    expect(await sessions.listByUser(idp.db, user.id, idp.now())).toHaveLength(1);
    const live = await Promise.all(
      answers.map(({ headers }) => /sallyport_session=([\w-]+)/.exec(headers.get('set-cookie') ?? '')?.[1]),
    );
    expect(live.filter((value) => value !== undefined)).toHaveLength(1);
  });
});

test.each([
  ['no password', {}, 400],
  ['a wrong one', { password: 'wrong' }, 400],
  ['a form of another session', { password, csrf: 'x'.repeat(43) }, 403],
])('%s does not make the proof recent', async (_, fields, status) => {
  const { idp, user, browser, open } = await start();
  const before = await sessionOf(idp, user.id);
  expect((await confirm(browser, (await open()).html, fields)).status).toBe(status);
  expect((await sessionOf(idp, user.id))?.proven_at).toBe(before?.proven_at);
});

test('a code of an authenticator app will do as well, once, and guesses are counted for the account', async () => {
  const { idp, user, browser, open } = await start();
  const app = await addApp(idp, user.id);
  const { html } = await open();
  for (let guess = 0; guess < 10; guess += 1)
    expect((await confirm(browser, html, { code: wrongCode(app) })).status).toBe(400);
  expect((await confirm(browser, html, { code: app.code() })).status).toBe(429);
  idp.advance(900);
  expect((await confirm(browser, html, { code: app.code() })).headers.get('location')).toBe(
    '/account/security',
  );
  expect(await sessionOf(idp, user.id)).toMatchObject({ proven_at: idp.now(), amr: 'pwd otp mfa' });
  expect((await confirm(browser, html, { code: app.code() })).status).toBe(400); // used
});

test('whoever has no password is asked for none: for a passkey, an app, or to sign in again', async () => {
  const { idp, user, open } = await start({ host: 'localhost' });
  const offered = async () => {
    const { html } = await open();
    return ['name="password"', 'id="confirm-code"', 'id="use-passkey"', 'Sign out and sign in again'].filter(
      (part) => html.includes(part),
    );
  };
  expect(await offered()).toEqual(['name="password"']);
  await idp.db.transaction((trx) => credentials.removeAll(trx, user.id, 'password'));
  expect(await offered()).toEqual(['Sign out and sign in again']);
  await addApp(idp, user.id);
  expect(await offered()).toEqual(['id="confirm-code"']);
  await givePasskey(idp, user);
  expect(await offered()).toEqual(['id="confirm-code"', 'id="use-passkey"']);
});

test('guesses count as at the login page: a thief of a session has ten (hardening row 14)', async () => {
  const { browser, open } = await start();
  const { html } = await open();
  const statuses = [];
  for (let guess = 0; guess < 11; guess += 1)
    statuses.push((await confirm(browser, html, { password: `wrong ${guess}` })).status);
  expect(statuses).toEqual([...Array(10).fill(400), 429]);
});

test('without a session it leads to the login page, also where it ended meanwhile', async () => {
  const { idp, user, browser, open } = await start();
  const { html } = await open();
  expect((await idp.browser().request('/confirm')).headers.get('location')).toBe('/login');
  await setPassword(idp.deps, user.id, 'another good password', idp.now());
  expect((await confirm(browser, html, { password })).headers.get('location')).toBe('/login');
});

test.each([
  ['/account', '/id/account'],
  ['/account/security?id=a_b-c', '/id/account/security?id=a_b-c'],
  ['//evil.example', '/id/'],
  ['/account//evil.example', '/id/'],
  ['/account/../logout', '/id/'],
  ['/account\\evil.example', '/id/'],
  ['https://evil.example/account', '/id/'],
  ['/accounts', '/id/'],
  ['/account\n', '/id/'],
  [undefined, '/id/'],
])('%j leads back to %s and nowhere else (hardening row 5)', (to, back) => {
  expect(backFromConfirm({ base: '/id' }, to)).toBe(back);
});
