/** prompt=none as a top-level redirect. OpenID Connect Core §3.1.2.1 and §3.1.2.6. */
import { describe, expect, test } from 'vitest';
import { answerOf, app_origin, locationOf, startSignInApp } from '../../support/sign_in.js';

describe('a silent check', () => {
  test('signs in who is signed in at the server, and asks nothing', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    browser.cookies.clear();
    const url = await browser.begin('?silent=1&return_to=/orders');
    expect(url.searchParams.get('prompt')).toBe('none');
    expect(locationOf(await browser.send(answerOf(await browser.authorize(url)).href)).pathname).toBe(
      '/orders',
    );
    expect(await browser.person()).not.toBeNull();
  });

  test('that finds nobody leads back, and is not due again for five minutes', async () => {
    const { signIn, visitor } = await startSignInApp();
    const browser = visitor();
    const due = () =>
      signIn.silentCheckDue({
        headers: { cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') },
      });
    expect(due()).toBe(true);
    const done = await browser.signIn('?silent=1&return_to=/orders');
    expect(locationOf(done).href).toBe(`${app_origin}/orders`);
    expect(done.headers.getSetCookie().join()).toContain('__Host-app_checked=1; Path=/; Max-Age=300');
    expect([await browser.person(), due()]).toEqual([null, false]);
  });

  test('ends the session of who signed out at the server', async () => {
    const { errors, visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const before = new Map(browser.cookies);
    browser.server.cookies.clear();
    await browser.signIn('?prompt=none');
    expect([browser.cookies.has('__Host-app_session'), errors]).toEqual([false, []]);
    expect(await visitor(before).person()).toBeNull();
  });

  test('that was asked for nobody ends no session that began since', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const nobody = answerOf(await browser.authorize(await browser.begin('?silent=1')));
    expect(nobody.searchParams.get('error')).toBe('login_required');
    await browser.signIn();
    await browser.send(nobody.href);
    expect(await browser.person()).not.toBeNull();
  });

  test('that meets a question changes nothing', async () => {
    const { errors, idp, visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const url = await browser.begin('?silent=1');
    const answer = new URL(`${app_origin}/callback`);
    answer.search = new URLSearchParams({
      error: 'consent_required',
      state: url.searchParams.get('state') ?? '',
      iss: idp.issuer,
    }).toString();
    expect(locationOf(await browser.send(answer.href)).pathname).toBe('/');
    expect([await browser.person(), errors.map(({ error }) => error)]).toEqual([
      expect.anything(),
      ['consent_required'],
    ]);
  });
});
