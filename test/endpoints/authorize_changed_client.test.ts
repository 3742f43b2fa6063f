import { beforeEach, describe, expect, test } from 'vitest';
import { disableClient, removeClient, updateClient } from '../../src/actions/clients.js';
import { answerOf, ask, codeOf, expectErrorPage, kindOf, signedInBrowser } from '../support/authorize.js';
import type { Browser, Page } from '../support/browser.js';
import { authorizeUrl, redeem, signIn } from '../support/flow.js';
import { redirect_uri, startIdp, type TestIdp } from '../support/idp.js';
import { withoutPkce } from '../support/shop.js';

const another = 'https://shop.example/another';

let idp: TestIdp;
beforeEach(async () => {
  idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: false, redirect_uris: [redirect_uri, another] }, 'shop');
});

/** The pages on which a person may be while the operator changes the client, and how they go on. */
const pages: [string, (from: TestIdp) => Promise<[Page, Browser, (page: Page) => Promise<Page>]>][] = [
  [
    'login',
    async (from) => {
      const browser = from.browser();
      return [await ask(browser, 'shop'), browser, (page) => signIn(browser, page)];
    },
  ],
  [
    'consent',
    async (from) => {
      const browser = await signedInBrowser(from);
      return [await ask(browser, 'shop'), browser, (page) => browser.submit(page, { action: 'allow' })];
    },
  ],
  [
    'account chooser',
    async (from) => {
      const browser = await signedInBrowser(from);
      const chooser = await ask(browser, 'shop', { prompt: 'select_account' });
      return [chooser, browser, (page) => browser.submit(page, { action: 'continue' })];
    },
  ],
];

describe.each(pages)('while a person is on the %s page', (_, open) => {
  test('the client is disabled: an error page, and none of the buttons leads there (AUT-02)', async () => {
    const [page, browser, goOn] = await open(idp);
    await disableClient(idp.deps, 'shop', true, idp.now());
    expectErrorPage(await goOn(page));
    expectErrorPage(await browser.submit(page, { action: 'cancel' }));
    expectErrorPage(await browser.get(page.url));
  });

  test('the client is removed: an error page', async () => {
    const [page, , goOn] = await open(idp);
    await removeClient(idp.deps, 'shop', idp.now());
    expectErrorPage(await goOn(page));
  });

  test('the redirect URI is taken away: an error page that names it, never a redirect (hardening 4)', async () => {
    const [page, browser, goOn] = await open(idp);
    await updateClient(idp.deps, 'shop', { redirect_uris: [another] }, idp.now());
    const refused = await goOn(page);
    expectErrorPage(refused);
    expect(refused.html).toContain('redirect URI');
    expectErrorPage(await browser.submit(page, { action: 'cancel' }));
    expectErrorPage(await browser.get(page.url.replace(/\/[\w-]+\?/, '/authorize/resume?')));
  });

  test('the code grant is taken away: unauthorized_client (hardening 22)', async () => {
    const [page, , goOn] = await open(idp);
    await updateClient(idp.deps, 'shop', { grant_types: ['client_credentials'] }, idp.now());
    expect(answerOf(await goOn(page))).toMatchObject({
      error: 'unauthorized_client',
      state: 's1',
      iss: idp.issuer,
    });
  });

  test('something else is changed: it goes on', async () => {
    const [page, , goOn] = await open(idp);
    await updateClient(idp.deps, 'shop', { client_name: 'Shop 2', redirect_uris: [redirect_uri] }, idp.now());
    const next = await goOn(page);
    if (kindOf(next) === '/consent') expect(next.html).toContain('Shop 2');
    else expect(codeOf(next)).not.toBe('');
  });
});

test.each(['none', undefined])(
  'between a POST with prompt=%s and the GET it goes on with, the redirect URI is taken away: an error page (hardening 4)',
  async (prompt) => {
    const own = await idp.addClient({ redirect_uris: [redirect_uri, another] }, 'own');
    const browser = await signedInBrowser(idp);
    const body = new URLSearchParams(authorizeUrl(own.client.client_id, { prompt }).split('?')[1]);
    const posted = await browser.request('/authorize', { method: 'POST', body });
    await updateClient(idp.deps, 'own', { redirect_uris: [another] }, idp.now());
    expectErrorPage(await browser.get(posted.headers.get('location') ?? ''));
  },
);

test('a scope that is taken away while the login page is open is neither asked for nor given', async () => {
  const own = await idp.addClient({ scope: 'openid email phone' }, 'own');
  const browser = idp.browser();
  const login = await ask(browser, 'own', { scope: 'openid email phone' });
  await updateClient(idp.deps, 'own', { scope: 'openid', first_party: false }, idp.now());
  const consent = await signIn(browser, login);
  expect(kindOf(consent)).toBe('/consent');
  expect(consent.html).not.toMatch(/phone|e-mail address/);
  const { body } = await redeem(idp, own, codeOf(await browser.submit(consent, { action: 'allow' })));
  expect(body.scope).toBe('openid');
});

test('PKCE that is demanded while the login page is open is demanded of that request too (hardening 6)', async () => {
  await idp.addClient({ require_pkce: false }, 'own');
  const browser = idp.browser();
  const login = await ask(browser, 'own', withoutPkce);
  await updateClient(idp.deps, 'own', { require_pkce: true }, idp.now());
  expect(answerOf(await signIn(browser, login))).toMatchObject({ error: 'invalid_request', state: 's1' });
});

test('a client that is no longer first-party asks for consent, in the middle too', async () => {
  await idp.addClient({}, 'own');
  const browser = idp.browser();
  const login = await ask(browser, 'own');
  await updateClient(idp.deps, 'own', { first_party: false }, idp.now());
  expect(kindOf(await signIn(browser, login))).toBe('/consent');
});

test('a client that is enabled again works again', async () => {
  const browser = await signedInBrowser(idp);
  await disableClient(idp.deps, 'shop', true, idp.now());
  expectErrorPage(await ask(browser, 'shop'));
  await disableClient(idp.deps, 'shop', false, idp.now());
  expect(kindOf(await ask(browser, 'shop'))).toBe('/consent');
});
