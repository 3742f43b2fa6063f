import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import type { NewClient } from '../../src/actions/clients.js';
import { disableUser } from '../../src/actions/users.js';
import { answerOf, ask, codeOf, headingOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import type { Browser, Page } from '../support/browser.js';
import { redeem, signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';

const bob = { email: 'bob@example.com', claims: { name: 'Bob <b>' } };

let idp: TestIdp;
let shop: NewClient;
let browser: Browser;
let subs: Readonly<Record<'ada' | 'bob', string>>;
let whoIs: (page: Page) => Promise<unknown>;
beforeEach(async () => {
  idp = await startIdp();
  subs = { ada: (await idp.addUser()).id, bob: (await idp.addUser(bob)).id };
  shop = await idp.addClient({}, 'shop');
  browser = await signedInBrowser(idp);
  whoIs = async (page) => decodeJwt((await redeem(idp, shop, codeOf(page))).body.id_token).sub;
});

describe('prompt=select_account (INT-04)', () => {
  test.each(methods)('shows who is signed in, and goes on as them, once, by %s (INT-04)', async (method) => {
    const chooser = await ask(browser, 'shop', { prompt: 'select_account' }, method);
    expect([kindOf(chooser), headingOf(chooser)]).toEqual([
      '/choose-account',
      'Choose an account to continue to Shop',
    ]);
    expect(chooser.html).toContain('Ada Lovelace');
    expect(chooser.html).toContain('ada@example.com');
    expect(await whoIs(await browser.submit(chooser, { action: 'continue' }))).toBe(subs.ada);
  });

  test('each request is asked by itself', async () => {
    await browser.submit(await ask(browser, 'shop', { prompt: 'select_account' }), { action: 'continue' });
    expect(kindOf(await ask(browser, 'shop', { prompt: 'select_account' }))).toBe('/choose-account');
  });

  test('another account means the login page, and then the other user', async () => {
    const chooser = await ask(browser, 'shop', { prompt: 'select_account' });
    const login = await browser.submit(chooser, { action: 'another' });
    expect(kindOf(login)).toBe('/login');
    expect(await whoIs(await signIn(browser, login, { email: bob.email }))).toBe(subs.bob);
  });

  test('another account may be the same one after all', async () => {
    const chooser = await ask(browser, 'shop', { prompt: 'select_account' });
    const login = await browser.submit(chooser, { action: 'another' });
    expect(await whoIs(await signIn(browser, login))).toBe(subs.ada);
  });

  test('without a session it is the login page, and who signs in has chosen', async () => {
    const fresh = idp.browser();
    const login = await ask(fresh, 'shop', { prompt: 'select_account' });
    expect(kindOf(login)).toBe('/login');
    expect(await whoIs(await signIn(fresh, login))).toBe(subs.ada);
  });

  test('names are escaped (hardening 17)', async () => {
    const bobs = await signedInBrowser(idp, bob.email);
    const { html } = await ask(bobs, 'shop', { prompt: 'select_account' });
    expect(html).toContain('Bob &lt;b&gt;');
  });

  test('a chooser that is opened after signing out leads to the login page', async () => {
    const chooser = await ask(browser, 'shop', { prompt: 'select_account' });
    browser.cookies.delete('sallyport_session');
    expect(kindOf(await browser.get(chooser.url))).toBe('/login');
    expect(kindOf(await browser.submit(chooser, { action: 'continue' }))).toBe('/login');
  });
});

describe('a session of another user', () => {
  test('is ended when somebody else signs in (decisions 16)', async () => {
    const code = codeOf(await ask(browser, 'shop'));
    const before = browser.cookies.get('sallyport_session') ?? '';
    const login = await ask(browser, 'shop', { prompt: 'login' });
    expect(await whoIs(await signIn(browser, login, { email: bob.email }))).toBe(subs.bob);

    const old = idp.browser();
    old.cookies.set('sallyport_session', before);
    expect(kindOf(await ask(old, 'shop'))).toBe('/login');
    expect((await redeem(idp, shop, code)).body.error).toBe('invalid_grant');
  });

  test('that begins in another tab does not answer for who saw the consent page', async () => {
    await idp.addClient({ first_party: false }, 'blog');
    const consent = await ask(browser, 'blog');
    expect(consent.html).toContain('Ada Lovelace');
    await signIn(browser, await browser.get('/login'), { email: bob.email }); // the other tab
    const again = await browser.submit(consent, { action: 'allow' });
    expect([again.status, kindOf(again)]).toEqual([403, '/consent']);
    expect(again.html).toContain('bob@example.com');
    expect(answerOf(await browser.submit(again, { action: 'deny' })).error).toBe('access_denied');
  });

  test('that begins in another tab does not choose for who saw the chooser', async () => {
    const chooser = await ask(browser, 'shop', { prompt: 'select_account' });
    await signIn(browser, await browser.get('/login'), { email: bob.email });
    const again = await browser.submit(chooser, { action: 'continue' });
    // Who signed in since has chosen an account since: the form of the other tab is not theirs, the answer is.
    expect(again.status).toBe(403);
    expect(await whoIs(await browser.submit(again, { action: 'continue' }))).toBe(subs.bob);
  });
});

describe('a user who is disabled', () => {
  test('has no session any more: the login page, and silently login_required', async () => {
    await disableUser(idp.deps, subs.ada, idp.now());
    expect(kindOf(await ask(browser, 'shop'))).toBe('/login');
    expect(answerOf(await ask(browser, 'shop', { prompt: 'none' })).error).toBe('login_required');
  });

  test('while the consent page is open, gets no code', async () => {
    await idp.addClient({ first_party: false }, 'blog');
    const consent = await ask(browser, 'blog');
    await disableUser(idp.deps, subs.ada, idp.now());
    expect(kindOf(await browser.submit(consent, { action: 'allow' }))).toBe('/login');
  });
});
