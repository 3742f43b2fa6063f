/** Whom the pages of an account let in: the routes are walked, so none is forgotten. Hardening rows 5, 26 and 33. */
import { describe, expect, test } from 'vitest';
import { routes } from '../../../src/app.js';
import { sections } from '../../../src/http/account_sections.js';
import { change, deletedAndBack, withApplication } from '../../support/account.js';
import { headingOf, signedInBrowser } from '../../support/authorize.js';
import { signIn } from '../../support/flow.js';
import { addProvider } from '../../support/identity_provider.js';
import { startIdp } from '../../support/idp.js';

async function start() {
  const idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: false }, 'shop');
  return idp;
}

async function accountRoutes() {
  const idp = await start();
  const all = routes(idp.deps).filter(({ path }) => /^\/account(\/|$)/.test(path));
  return all.flatMap(({ methods, path }) => methods.map((method) => [method, path] as const));
}

test('without a session every route of the account leads to the login page, and tells nothing (hardening 26)', async () => {
  const idp = await start();
  const all = await accountRoutes();
  expect(all.length).toBeGreaterThan(10);
  for (const [method, path] of all) {
    const browser = idp.browser();
    const init = method === 'GET' ? {} : { method, body: new URLSearchParams({ action: 'x' }) };
    const page = await browser.request(path, init);
    expect([method, path, page.status, page.headers.get('location')]).toEqual([method, path, 303, '/login']);
    expect(page.html).toBe('');
  }
});

test('an account that is about to be deleted has one page alone', async () => {
  const idp = await start();
  const browser = await deletedAndBack(idp);
  for (const [method, path] of await accountRoutes()) {
    if (path === '/account/keep') continue;
    const init = method === 'GET' ? {} : { method, body: new URLSearchParams({ action: 'x' }) };
    const page = await browser.request(path, init);
    expect([path, page.status, page.headers.get('location')]).toEqual([path, 303, '/account/keep']);
  }
});

test('every section of the navigation is a page there is, and knows itself', async () => {
  const idp = await start();
  const browser = await signedInBrowser(idp);
  for (const { path } of sections) {
    const page = await browser.get(path);
    expect([path, page.status]).toEqual([path, 200]);
    expect(page.html).toContain(`href="${path}" aria-current="page"`);
  }
});

test.each([false, true])(
  'accounts elsewhere are in the navigation where people may sign in with any: %s',
  async (any) => {
    const idp = await start();
    if (any) await addProvider(idp, { id: 'elsewhere' });
    const browser = await signedInBrowser(idp);
    expect((await browser.get('/account')).html.includes('href="/account/providers"')).toBe(any);
  },
);

describe('after a sign-in', () => {
  test.each(['/account', '/account/sessions', '/account/data'])(
    'the page %s that wanted it comes',
    async (path) => {
      const idp = await start();
      const browser = idp.browser();
      const login = await browser.get(path);
      expect(login.url).toBe(`${idp.url}/login`);
      expect((await signIn(browser, login)).url).toBe(idp.url + path);
    },
  );

  test('that nobody wanted the start page comes, and a page is wanted once', async () => {
    const idp = await start();
    const browser = idp.browser();
    await signIn(browser, await browser.get('/account/sessions'));
    const again = await signIn(browser, await browser.get('/login'));
    expect(again.url).toBe(`${idp.url}/`);
  });

  test.each([
    'https:..evil.example',
    '..evil.example',
    'account..evil',
    'account.sessions.',
    'login',
    'account.a.b.c.d.e',
    'authorize',
  ])('somebody plants the cookie %s: it leads nowhere else (hardening 5)', async (planted) => {
    const idp = await start();
    const browser = idp.browser();
    const login = await browser.get('/account/sessions');
    browser.cookies.set('sallyport_way_back', planted);
    expect((await signIn(browser, login)).url).toBe(`${idp.url}/`);
  });
});

describe('somebody names what is another person’s (hardening 26)', () => {
  test('a session: 404, and it goes on', async () => {
    const idp = await start();
    const ada = await signedInBrowser(idp);
    const { html } = await ada.get('/account/data/download');
    const [{ id = '' } = {}] = (JSON.parse(html) as { sessions: { id?: string }[] }).sessions;
    await idp.addUser({ email: 'bob@example.com' });
    const bob = await signedInBrowser(idp, 'bob@example.com');
    const page = await change(bob, '/account/sessions', { action: 'end', session: id });
    expect([page.status, headingOf(page)]).toEqual([404, 'Devices']);
    expect(headingOf(await ada.get('/account'))).toBe('Your account');
  });

  test('an application that has nothing of theirs: 404, and the other person’s goes on', async () => {
    const idp = await start();
    const ada = await withApplication(idp);
    await idp.addUser({ email: 'bob@example.com' });
    const bob = await signedInBrowser(idp, 'bob@example.com');
    const page = await change(bob, '/account/applications', { client_id: 'shop', action: 'withdraw' });
    expect([page.status, headingOf(page)]).toEqual([404, 'Applications']);
    expect((await ada.get('/account/applications')).html).toContain('Shop');
  });

  test.each(['', 'nothing', "' or 1=1 --", '../shop'])('a session %j or an application: 404', async (id) => {
    const idp = await start();
    const browser = await signedInBrowser(idp);
    const session = await change(browser, '/account/sessions', { action: 'end', session: id });
    const application = await change(browser, '/account/applications', { action: 'withdraw', client_id: id });
    expect([session.status, application.status]).toEqual([404, 404]);
  });
});
