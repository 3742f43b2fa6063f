/** Every POST of a page checks its form’s token (decisions 17; hardening row 33): the routes are walked, so none is forgotten. */
import { describe, expect, test } from 'vitest';
import { offerClaim } from '../../src/actions/setup.js';
import { loadUser } from '../../src/actions/users.js';
import { routes } from '../../src/app.js';
import { newId } from '../../src/secrets.js';
import * as users from '../../src/store/users.js';
import { change, deletedAndBack, withApplication } from '../support/account.js';
import { Authenticator } from '../support/authenticator.js';
import { ask, countRows, signedInBrowser } from '../support/authorize.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { addApp, codeOnPage, proveFactors, toFactor } from '../support/factors.js';
import { paths as apiPaths } from '../support/first_party.js';
import { startUpstream } from '../support/identity_provider.js';
import { type Form, formBody, password, startIdp, type TestIdp } from '../support/idp.js';
import { linkIn } from '../support/mails.js';
import { givePasskey, passkeyFormOf } from '../support/passkeys.js';
import { arrive } from '../support/upstream.js';

/**
 * Protocol endpoints, which other sites post to by right: they only show a page (decisions 16). The first-party API takes JSON, and
 * judges Origin: test/api/ tries that.
 */
const endpoints = [
  '/token',
  '/par',
  '/introspect',
  '/revoke',
  '/userinfo',
  '/authorize',
  '/logout',
  '/register',
];
const protocol = [...endpoints, '/upstream/:id/backchannel-logout', ...apiPaths];

interface Case {
  readonly open: (idp: TestIdp) => Promise<{ browser: Browser; page: Page }>;
  readonly choice: Form | ((page: Page, idp: TestIdp) => Form);
}

const opened = async (browser: Browser, page: Promise<Page>) => ({ browser, page: await page });

/** A page of one's account, whose form anybody has. */
function account(path: string, choice: Form): Case {
  const open = async (idp: TestIdp) => {
    const browser = await signedInBrowser(idp);
    return opened(browser, browser.get(path));
  };
  return { open, choice };
}

/** How the form of each page is come by, and what its button sends. */
const forms: Readonly<Record<string, Case>> = {
  '/login': {
    open: (idp) => {
      const browser = idp.browser();
      return opened(browser, browser.get('/login'));
    },
    choice: { email: 'ada@example.com', password, action: 'sign_in' },
  },
  '/consent': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      return opened(browser, ask(browser, 'shop'));
    },
    choice: { action: 'allow' },
  },
  '/choose-account': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      return opened(browser, ask(browser, 'shop', { prompt: 'select_account' }));
    },
    choice: { action: 'continue' },
  },
  '/enrol': {
    open: async (idp) => {
      await idp.addUser({ email: 'guarded@example.com', roles: ['guarded'] });
      const { browser, page } = await toFactor(idp, '/login', 'guarded@example.com');
      return { browser, page };
    },
    choice: (page, idp) => ({ code: codeOnPage(page, idp.now()), action: 'add' }),
  },
  '/account/security': withFactor('/account/security', () => ({ name: 'My phone', action: 'rename' })),
  '/account/security/app': withFactor('/account/security/app', (page, idp) => ({
    code: codeOnPage(page, idp.now()),
  })),
  '/account/security/remove': withFactor('/account/security/remove', () => ({})),
  '/account/security/codes': withFactor('/account/security/codes', () => ({ action: 'keep' })),
  '/factor': {
    open: async (idp) => {
      const user = await users.findByEmail(idp.db, 'ada@example.com');
      await addApp(idp, user?.id ?? '');
      const { browser } = await toFactor(idp);
      return opened(browser, browser.get('/factor'));
    },
    choice: { action: 'restart' },
  },
  '/confirm': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      idp.advance(301);
      return opened(browser, browser.get('/confirm'));
    },
    choice: { password },
  },
  '/account/profile': account('/account/profile', { name: 'Ada King', fields: 'name' }),
  '/account/email': account('/account/email', { action: 'change', email: 'countess@example.com' }),
  '/email-link': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      await change(browser, '/account/email', { action: 'change', email: 'countess@example.com' });
      return opened(browser, browser.get(await linkIn(idp)));
    },
    choice: {},
  },
  '/account/password': account('/account/password', { password: 'four words of no kin' }),
  '/account/providers': {
    open: async (idp) => {
      await startUpstream(idp);
      const browser = await signedInBrowser(idp);
      return opened(browser, browser.get('/account/providers'));
    },
    choice: { action: 'connect' },
  },
  '/upstream/connect': {
    open: async (idp) => {
      const { there } = await startUpstream(idp);
      const browser = idp.browser();
      return { browser, page: await arrive(browser, there.browser()) };
    },
    choice: { action: 'cancel' },
  },
  '/account/sessions': {
    open: async (idp) => {
      await signedInBrowser(idp);
      const browser = await signedInBrowser(idp);
      return opened(browser, browser.get('/account/sessions'));
    },
    choice: { action: 'end_others' },
  },
  '/account/applications': {
    open: async (idp) => {
      const browser = await withApplication(idp);
      return opened(browser, browser.get('/account/applications'));
    },
    choice: { client_id: 'shop', action: 'withdraw' },
  },
  '/account/delete': account('/account/delete', { typed: 'ada@example.com', action: 'delete' }),
  '/account/keep': {
    open: async (idp) => {
      const browser = await deletedAndBack(idp);
      return opened(browser, browser.get('/account'));
    },
    choice: { action: 'keep' },
  },
  '/account/passkeys/add': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      return opened(browser, browser.get('/account/passkeys/add'));
    },
    choice: ({ html }, { issuer }) => ({
      passkey: new Authenticator({ origin: issuer }).create(passkeyFormOf(html).options),
    }),
  },
  '/account/passkeys/edit': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      const ada = await loadUser(idp.deps, 'ada@example.com');
      const { row } = await givePasskey(idp, ada);
      await proveFactors(idp, ada.id);
      return opened(browser, browser.get(`/account/passkeys/edit?id=${row.id}`));
    },
    choice: { name: 'Laptop' },
  },
  '/logout/confirm': {
    open: async (idp) => {
      const browser = await signedInBrowser(idp);
      return opened(browser, browser.get('/logout'));
    },
    choice: { action: 'sign_out' },
  },
  '/claim': {
    open: async (idp) => {
      const link = new URL((await offerClaim(idp.deps, idp.now())) ?? '');
      const browser = idp.browser();
      return opened(browser, browser.get(link.pathname + link.search));
    },
    choice: { email: 'root@example.com', name: 'Root', password },
  },
  '/forgot-password': {
    open: (idp) => {
      const browser = idp.browser();
      return opened(browser, browser.get('/forgot-password'));
    },
    choice: { email: 'ada@example.com' },
  },
  '/register-account': {
    open: (idp) => {
      const browser = idp.browser();
      return opened(browser, browser.get('/register-account'));
    },
    choice: { email: 'grace@example.com' },
  },
  '/create-account': {
    open: async (idp) => {
      const browser = idp.browser();
      await browser.submit(await browser.get('/register-account'), { email: 'grace@example.com' });
      return opened(browser, browser.get(await linkIn(idp)));
    },
    choice: { name: 'Grace', password: 'glacier-turnip-accordion-mild' },
  },
  '/reset-password': {
    open: async (idp) => {
      const browser = idp.browser();
      await browser.submit(await browser.get('/forgot-password'), { email: 'ada@example.com' });
      return opened(browser, browser.get(await linkIn(idp)));
    },
    choice: { password: 'glacier-turnip-accordion-mild' },
  },
};

/** A page of one's second factors, for somebody with an authenticator app. */
function withFactor(path: string, choice: Case['choice']): Case {
  const open = async (idp: TestIdp) => {
    const browser = await signedInBrowser(idp);
    const user = await users.findByEmail(idp.db, 'ada@example.com');
    const { id } = await addApp(idp, user?.id ?? '');
    await proveFactors(idp, user?.id ?? '');
    return opened(browser, browser.get(`${path}?id=${id}`));
  };
  return { open, choice };
}

/** What may be wrong with a form: its token, or where it comes from. */
function damages(own: string, stranger: string): [string, string | undefined, Record<string, string>][] {
  return [
    ['without a token', undefined, {}],
    ['with an empty token', '', {}],
    ['with a token that was changed at its end', `${own.slice(0, -2)}__`, {}],
    ['with the token of another browser', stranger, {}],
    ['from another site, as Fetch Metadata says', own, { 'sec-fetch-site': 'cross-site' }],
    ['from another host of this site', own, { 'sec-fetch-site': 'same-site' }],
    ['from another origin', own, { origin: 'https://evil.example' }],
    ['from an origin that it hides', own, { origin: 'null' }],
  ];
}

const chosen = (choice: Case['choice'], page: Page, idp: TestIdp) =>
  typeof choice === 'function' ? choice(page, idp) : choice;

async function start(): Promise<TestIdp> {
  const idp = await startIdp({
    host: 'localhost',
    settings: { USER_REGISTRATION: 'open', SECOND_FACTOR_ROLES: 'guarded' },
  });
  await idp.addUser();
  await idp.addClient({ first_party: false }, 'shop');
  return idp;
}

test('every page that takes a POST is in the table of forms below (HTTP-17)', async () => {
  const { deps } = await startIdp();
  const posts = routes(deps).filter(({ methods }) => methods.includes('POST'));
  const pages = posts.map(({ path }) => path).filter((path) => !protocol.includes(path));
  expect(pages.toSorted()).toEqual(Object.keys(forms).toSorted());
});

describe.each(Object.entries(forms))('POST %s', (path, { open, choice }) => {
  test('does what its own form asks for', async () => {
    const idp = await start();
    const { browser, page } = await open(idp);
    const { action, hidden } = formOf(page.html);
    expect(action).toBe(path);
    const body = formBody({ ...hidden, ...chosen(choice, page, idp) });
    expect((await browser.request(path, { method: 'POST', body })).status).toBe(303);
  });

  test('without a token of its own, or from elsewhere, is refused, changes nothing, and shows the form again (HTTP-17)', async () => {
    const idp = await start();
    const { browser, page } = await open(idp);
    const { hidden } = formOf(page.html);
    const stranger = (await idp.deps.keys.get()).mac('csrf', `${newId()} `);
    const before = await countRows(idp);
    for (const [damage, csrf, headers] of damages(hidden.csrf ?? '', stranger)) {
      const answer = await browser.post(path, { ...hidden, ...chosen(choice, page, idp), csrf }, headers);
      expect([answer.status, formOf(answer.html).action], damage).toEqual([403, path]);
    }
    expect(await countRows(idp)).toEqual(before);
  });
});
