import { describe, expect, test } from 'vitest';
import { change } from '../../support/account.js';
import { headingOf, signedInBrowser } from '../../support/authorize.js';
import { engines } from '../../support/database.js';
import { getTokens, refresh, signIn } from '../../support/flow.js';
import { type IdpOptions, password as old, startIdp, type TestIdp } from '../../support/idp.js';
import { mailRows, startWithMail } from '../../support/mails.js';
import { eventsOf } from '../../support/shop.js';

const password = 'four words of no kin';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  const browser = await signedInBrowser(idp);
  return { idp, browser };
}

async function canSignIn(idp: TestIdp, text: string): Promise<boolean> {
  const browser = idp.browser();
  return (await signIn(browser, await browser.get('/login'), { password: text })).status === 200;
}

describe.each(engines)('a new password on %s', (engine) => {
  test('ends all other sessions and all tokens, offline ones too; this browser goes on with a new cookie (decisions 30, hardening 9)', async () => {
    const { idp, browser } = await start({ engine });
    const shop = await idp.addClient({}, 'shop');
    const other = await signedInBrowser(idp);
    const here = await getTokens(idp, shop, {}, browser);
    const there = await getTokens(idp, shop, {}, other);
    const away = await getTokens(idp, shop, { scope: 'openid offline_access' }, other);
    const cookie = browser.cookies.get('sallyport_session') ?? '';

    const page = await change(browser, '/account/password', { password });
    expect([page.status, page.html.includes('Your password is changed')]).toEqual([200, true]);
    expect(headingOf(await other.get('/account'))).toBe('Sign in');
    for (const { refresh_token, access_token } of [here, there, away]) {
      expect((await refresh(idp, shop, refresh_token)).body.error).toBe('invalid_grant');
      expect((await idp.userinfo(access_token)).status).toBe(401);
    }
    expect(headingOf(await browser.get('/account'))).toBe('Your account');
    expect(browser.cookies.get('sallyport_session')).not.toBe(cookie);
    const thief = idp.browser();
    thief.cookies.set('sallyport_session', cookie);
    expect(headingOf(await thief.get('/account'))).toBe('Sign in');
    expect([await canSignIn(idp, old), await canSignIn(idp, password)]).toEqual([false, true]);
    expect(await eventsOf(idp, 'password_changed')).toMatchObject([{ address: '127.0.0.1' }]);
  });

  test('of twenty at the same moment one is set, and it is the one that signs in', async () => {
    const { idp, browser } = await start({ engine });
    const { html } = await browser.get('/account/password');
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const body = new URLSearchParams({ csrf, password: `${password} ${i}` });
        const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        return idp.fetch('/account/password', { method: 'POST', body, headers: { cookie } });
      }),
    );
    const set = answers.map(({ status }, i) => ({ status, i })).filter(({ status }) => status === 303);
    const won = set.filter((_, i) =>
      answers[set[i]?.i ?? 0]?.headers.get('location')?.endsWith('done=saved'),
    );
    expect(won).toHaveLength(1);
    expect(await canSignIn(idp, `${password} ${won[0]?.i}`)).toBe(true);
    expect(await eventsOf(idp, 'password_changed')).toHaveLength(1);
  });
});

test('asks who one is where the last proof is older than five minutes, and comes back', async () => {
  const { idp, browser } = await start();
  idp.advance(301);
  const confirm = await browser.get('/account/password');
  expect(headingOf(confirm)).toBe('Confirm that it is you');
  const { hidden } = { hidden: { to: '/account/password' } };
  expect(confirm.html).toContain(`value="${hidden.to}"`);
  expect(headingOf(await browser.submit(confirm, { password: old }))).toBe('Change your password');
});

test('somebody finds a browser left open: without a fresh proof nothing is changed', async () => {
  const { idp, browser } = await start();
  idp.advance(301);
  const page = await change(browser, '/account/password', { password });
  expect(headingOf(page)).toBe('Confirm that it is you');
  expect([await canSignIn(idp, old), await canSignIn(idp, password)]).toEqual([true, false]);
});

test.each(['', 'short', 'password', 'ada@example.com', 'x'.repeat(1025)])(
  'a password that is not good enough is refused at its field: %s',
  async (bad) => {
    const { idp, browser } = await start();
    const page = await change(browser, '/account/password', { password: bad });
    expect([page.status, page.html.includes('id="password-error"')]).toEqual([400, true]);
    expect(page.html).not.toMatch(/<input id="password"[^>]* value=/);
    expect(await canSignIn(idp, old)).toBe(true);
  },
);

test('is told by mail, with the browser that did it', async () => {
  const { idp } = await startWithMail();
  await idp.addUser();
  await change(await signedInBrowser(idp), '/account/password', { password });
  expect((await mailRows(idp)).map(({ name }) => name)).toContain('password_changed');
});
