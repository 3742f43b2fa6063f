import { describe, expect, test } from 'vitest';
import { offerClaim } from '../../src/actions/setup.js';
import { addUser } from '../../src/actions/users.js';
import * as users from '../../src/store/users.js';
import type { Browser, Page } from '../support/browser.js';
import { engines } from '../support/database.js';
import { signIn } from '../support/flow.js';
import { countingGate, password, startIdp, type TestIdp } from '../support/idp.js';

const operator = { name: 'Ada Lovelace', email: 'ada@example.com', password };

/** The path of a fresh link, as the terminal shows it at each start. */
async function newLink(idp: TestIdp): Promise<string> {
  const link = new URL((await offerClaim(idp.deps, idp.now())) ?? 'nothing: claimed already');
  return link.pathname + link.search;
}

function claim(browser: Browser, page: Page, changes: object = {}): Promise<Page> {
  return browser.submit(page, { ...operator, ...changes });
}

function people(idp: TestIdp): Promise<users.UserRow[]> {
  return users.list(idp.db, '');
}

describe.each(engines)('claiming a new server on %s', (engine) => {
  test('the operator becomes its first administrator, who signs in and sees what to do next', async () => {
    const idp = await startIdp({ engine });
    const browser = idp.browser();
    const login = await claim(browser, await browser.get(await newLink(idp)));
    expect(new URL(login.url).pathname).toBe('/login');
    expect((await signIn(browser, login)).html).toContain('What to do next');
    expect(await people(idp)).toMatchObject([
      { email: 'ada@example.com', roles: 'admin', name: 'Ada Lovelace' },
    ]);
    expect(await offerClaim(idp.deps, idp.now())).toBeNull(); // no restart prints another link
  });

  test('two people open the link at the same moment: one wins, the other makes nobody an administrator (hardening 31)', async () => {
    const idp = await startIdp({ engine });
    const link = await newLink(idp);
    const rivals = ['ada@example.com', 'mallory@example.com', 'eve@example.com'].map(async (email) => {
      const browser = idp.browser();
      const page = await browser.get(link);
      return { browser, page, email };
    });
    const answers = await Promise.all(
      (await Promise.all(rivals)).map(({ browser, page, email }) => claim(browser, page, { email })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    expect(await people(idp)).toHaveLength(1);
  });

  test('a restart prints a new link, and the old one dies', async () => {
    const idp = await startIdp({ engine });
    const old = await newLink(idp);
    await idp.restart();
    const link = await newLink(idp);
    expect((await idp.browser().get(old)).status).toBe(403);
    expect((await idp.browser().get(link)).status).toBe(200);
  });

  test('an administrator who is added on the command line claims it too; anybody else does not (decisions 22)', async () => {
    const idp = await startIdp({ engine });
    const link = await newLink(idp);
    const somebody = { email: 'a@example.com', email_verified: false, claims: {}, password: null };
    await addUser(idp.deps, { ...somebody, roles: ['editor', 'administrator'] }, idp.now());
    expect((await idp.browser().get(link)).status).toBe(200);
    await addUser(idp.deps, { ...somebody, email: 'b@example.com', roles: ['admin'] }, idp.now());
    expect((await idp.browser().get(link)).status).toBe(403);
    expect(await offerClaim(idp.deps, idp.now())).toBeNull();
  });
});

describe('the claim link is refused', () => {
  test.each<[string, (idp: TestIdp, link: string) => Promise<string> | string]>([
    ['without its token', () => '/claim'],
    ['with a made-up token', () => `/claim?token=${'A'.repeat(43)}`],
    ['with a token that is cut off', (_, link) => link.slice(0, -1)],
    ['with something after the token', (_, link) => `${link}A`],
    [
      'after 30 minutes',
      (idp, link) => {
        idp.advance(1800);
        return link;
      },
    ],
    [
      'once it was used',
      async (idp, link) => {
        const browser = idp.browser();
        await claim(browser, await browser.get(link));
        return link;
      },
    ],
  ])('%s', async (_, change) => {
    const idp = await startIdp();
    const page = await idp.browser().get(await change(idp, await newLink(idp)));
    expect([page.status, page.html.includes('<form method="post"')]).toEqual([403, false]);
  });

  test('29 minutes and 59 seconds after it was printed it still works', async () => {
    const idp = await startIdp();
    const link = await newLink(idp);
    idp.advance(1799);
    const browser = idp.browser();
    const page = await claim(browser, await browser.get(link));
    expect(page.status).toBe(200);
    expect(await people(idp)).toHaveLength(1);
  });

  test('when it expires while the form is being filled in', async () => {
    const idp = await startIdp();
    const browser = idp.browser();
    const page = await browser.get(await newLink(idp));
    idp.advance(1800);
    expect((await claim(browser, page)).status).toBe(403);
    expect(await people(idp)).toEqual([]);
  });

  test('a stranger without the link costs no password hash', async () => {
    const hashing = countingGate();
    const idp = await startIdp({ substitutes: { hashing } });
    const browser = idp.browser();
    const page = await browser.get(await newLink(idp));
    await claim(browser, page, { token: 'A'.repeat(43) });
    expect(hashing.entered).toBe(0);
    expect((await claim(browser, page)).status).toBe(200);
    expect(hashing.entered).toBe(1);
  });
});

describe('the claim form', () => {
  test.each<[string, object, string]>([
    ['a password of 7 bytes', { password: 'seven77' }, 'password'],
    ['a password of 1,025 bytes', { password: 'x'.repeat(1025) }, 'password'],
    ['no password', { password: undefined }, 'password'],
    ['no address', { email: undefined }, 'email'],
    ['an address without @', { email: 'ada' }, 'email'],
    ['an address with a line break', { email: 'ada@example.com\nBcc: x@example.com' }, 'email'],
  ])('with %s is shown again with the error at its field, and nobody is made', async (_, change, field) => {
    const idp = await startIdp();
    const browser = idp.browser();
    const page = await claim(browser, await browser.get(await newLink(idp)), change);
    expect(page.status).toBe(400);
    expect(page.html).toMatch(new RegExp(`<input id="${field}"[^>]* aria-invalid="true"`));
    expect(page.html).not.toContain('x'.repeat(20)); // a password is not sent back
    expect(await people(idp)).toEqual([]);
    expect((await claim(browser, page)).status).toBe(200);
  });

  test.each<[string, object, Record<string, string>]>([
    ['without its token', { csrf: '' }, {}],
    ['with the token of another browser', {}, { cookie: `sallyport_browser=${'A'.repeat(43)}` }],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another origin', {}, { origin: 'https://attacker.example' }],
  ])('somebody posts it %s: nobody is made (hardening 33)', async (_, change, headers) => {
    const idp = await startIdp();
    const browser = idp.browser();
    const link = await newLink(idp);
    const page = await browser.get(link);
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1];
    const token = new URL(page.url).searchParams.get('token') ?? '';
    const answer = await browser.post('/claim', { ...operator, csrf, token, ...change }, headers);
    expect(answer.status).toBe(403);
    expect(await people(idp)).toEqual([]);
  });
});
