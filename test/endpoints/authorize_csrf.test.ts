import { beforeEach, describe, expect, test } from 'vitest';
import { ask, codeOf, countRows, kindOf, signedInBrowser } from '../support/authorize.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { type Form, password, startIdp, type TestIdp } from '../support/idp.js';

const eve = { email: 'eve@example.com' };

let idp: TestIdp;
beforeEach(async () => {
  idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: false }, 'shop');
  await idp.addClient({}, 'own');
});

interface Case {
  /** Opens the page in a browser, as the person who is attacked does. */
  readonly open: (browser: Browser) => Promise<Page>;
  readonly browser: () => Promise<Browser> | Browser;
  readonly choice: Form;
}

const pages: [string, Case][] = [
  [
    '/login',
    {
      browser: () => idp.browser(),
      open: (browser) => ask(browser, 'own'),
      choice: { email: 'ada@example.com', password, action: 'sign_in' },
    },
  ],
  [
    '/consent',
    {
      browser: () => signedInBrowser(idp),
      open: (browser) => ask(browser, 'shop'),
      choice: { action: 'allow' },
    },
  ],
  [
    '/choose-account',
    {
      browser: () => signedInBrowser(idp),
      open: (browser) => ask(browser, 'own', { prompt: 'select_account' }),
      choice: { action: 'continue' },
    },
  ],
];

describe.each(pages)(
  'POST %s (hardening 33, decisions 17, HTTP-17)',
  (path, { browser: newBrowser, open, choice }) => {
    /** Posts the page's form with some of it changed. */
    async function post(
      browser: Browser,
      page: Page,
      changes: Form,
      headers: Record<string, string> = {},
    ): Promise<Page> {
      return browser.post(path, { ...formOf(page.html).hidden, ...choice, ...changes }, headers);
    }

    /** That the form is shown again, that nothing happened, and that the form that is shown works. */
    async function expectRefused(browser: Browser, send: () => Promise<Page>): Promise<void> {
      const cookies = new Map(browser.cookies);
      const rows = await countRows(idp);
      const page = await send();
      expect([page.status, kindOf(page)]).toEqual([403, path]);
      expect(browser.cookies).toEqual(cookies);
      expect(await countRows(idp)).toEqual(rows);
      expect(codeOf(await browser.submit(page, choice))).not.toBe('');
    }

    test.each<[string, Form]>([
      ['without a token', { csrf: undefined }],
      ['with an empty token', { csrf: '' }],
      ['with a token that was made up', { csrf: 'A'.repeat(43) }],
      ['with half a token', { csrf: 'half' }],
    ])('%s: 403 with the form again', async (_, changes) => {
      const browser = await newBrowser();
      const page = await open(browser);
      const csrf = changes.csrf === 'half' ? formOf(page.html).hidden.csrf?.slice(0, 20) : changes.csrf;
      await expectRefused(browser, () => post(browser, page, { csrf }));
    });

    test('with the token of another browser: 403 with the form again', async () => {
      const theirs = formOf((await open(await newBrowser())).html).hidden.csrf;
      const browser = await newBrowser();
      const page = await open(browser);
      expect(theirs).not.toBe(formOf(page.html).hidden.csrf);
      await expectRefused(browser, () => post(browser, page, { csrf: theirs }));
    });

    test('with the token of the attacker who is signed in as herself: 403 with the form again', async () => {
      await idp.addUser(eve);
      const eves = await signedInBrowser(idp, eve.email);
      const theirs = formOf((await ask(eves, 'shop', { prompt: 'consent' })).html).hidden.csrf;
      const browser = await newBrowser();
      const page = await open(browser);
      await expectRefused(browser, () => post(browser, page, { csrf: theirs }));
    });

    test.each([
      ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
      ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
      ['a Sec-Fetch-Site that is unknown', { 'sec-fetch-site': 'x' }],
      ['a foreign Origin', { origin: 'https://evil.example' }],
      ['an Origin that begins like ours', { origin: 'http://127.0.0.1.evil.example' }],
      ['the Origin null', { origin: 'null' }],
      ['our Origin, but cross-site', { 'sec-fetch-site': 'cross-site', origin: 'ours' }],
    ])('from elsewhere, by %s, even with the right token: 403 with the form again', async (_, headers) => {
      const browser = await newBrowser();
      const page = await open(browser);
      const sent = Object.entries(headers).map(([name, value]) => [
        name,
        value === 'ours' ? idp.issuer : value,
      ]);
      await expectRefused(browser, () => post(browser, page, {}, Object.fromEntries(sent)));
    });

    test.each([
      ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin' }],
      ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }],
      ['our Origin', { origin: 'ours' }],
      ['neither', {}],
    ])('from here, by %s: the form is taken', async (_, headers) => {
      const browser = await newBrowser();
      const page = await open(browser);
      const sent = Object.entries(headers).map(([name, value]) => [
        name,
        value === 'ours' ? idp.issuer : value,
      ]);
      expect(codeOf(await post(browser, page, {}, Object.fromEntries(sent)))).not.toBe('');
    });

    test('Cancel and Deny are buttons of the form like any other', async () => {
      const browser = await newBrowser();
      const page = await open(browser);
      const refused = await post(browser, page, { csrf: undefined, action: 'cancel' });
      expect([refused.status, kindOf(refused)]).toEqual([403, path]);
    });
  },
);

test('the token changes with the session, so that one from before a sign-in is worth nothing after it', async () => {
  await idp.addUser(eve);
  const browser = await signedInBrowser(idp);
  const before = formOf((await ask(browser, 'shop')).html).hidden.csrf;
  await browser.submit(await ask(browser, 'own', { prompt: 'login' }), {
    email: eve.email,
    password,
    action: 'sign_in',
  });
  expect(formOf((await ask(browser, 'shop')).html).hidden.csrf).not.toBe(before);
});

test('a password is not even looked at when the form is not ours', async () => {
  const browser = idp.browser();
  const page = await ask(browser, 'own');
  const rows = await countRows(idp);
  for (let times = 0; times < 20; times += 1) {
    const refused = await browser.submit(page, {
      csrf: 'x',
      email: 'ada@example.com',
      password: 'wrong password',
    });
    expect(refused.status).toBe(403);
  }
  expect(await countRows(idp)).toEqual(rows); // no attempt was counted against Ada
});
