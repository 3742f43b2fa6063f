import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  answerOf,
  ask,
  codeOf,
  expectErrorPage,
  kindOf,
  sealOf,
  signedInBrowser,
} from '../support/authorize.js';
import { redeem, signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';

let idp: TestIdp;
beforeEach(async () => {
  idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: false }, 'shop');
  await idp.addClient({ first_party: true }, 'own');
});

const allow = { action: 'allow' };

describe('a sealed request', () => {
  test('tells nothing of what is in it (hardening 23)', async () => {
    const seal = sealOf(
      await ask(idp.browser(), 'own', { state: 'a-secret-state', login_hint: 'ada@example.com' }),
    );
    const text = seal
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join();
    for (const hidden of ['a-secret-state', 'ada@example.com', 'shop.example'])
      expect(text).not.toContain(hidden);
  });

  test.each(['/login', '/consent', '/choose-account', '/authorize/resume'])(
    'that was tampered with is a page that says what to do, at %s (INT-16)',
    async (path) => {
      const browser = await signedInBrowser(idp);
      const seal = sealOf(await ask(browser, 'shop'));
      const [id = '', text = ''] = seal.split('.');
      const sealed = Buffer.from(text, 'base64url');
      const flipped = fc
        .tuple(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, bits]) => {
          const bytes = Buffer.from(sealed);
          bytes[at] = (bytes[at] ?? 0) ^ bits;
          return `${id}.${bytes.toString('base64url')}`;
        });
      const cut = fc.nat(seal.length - 8).map((length) => seal.slice(0, length + 1));
      const other = fc.constantFrom(
        'x',
        '.',
        `${id}.`,
        `.${text}`,
        text,
        `x.${text}`,
        `${id}.${text}.x`.slice(1),
        'A'.repeat(7000),
      );
      await fc.assert(
        fc.asyncProperty(fc.oneof(flipped, cut, other), async (request) => {
          const page = await browser.get(`${path}?request=${request}`);
          expectErrorPage(page, 403);
          expect(page.html).toContain('go back to the application');
        }),
        { numRuns: 30 },
      );
    },
  );

  test('of a sign-out is none of a sign-in, and the other way round', async () => {
    const browser = await signedInBrowser(idp);
    const authorization = sealOf(await ask(browser, 'shop'));
    const logout = sealOf(await browser.get('/logout'));
    expect(logout).not.toBe('');
    for (const path of ['/login', '/consent', '/authorize/resume'])
      expectErrorPage(await browser.get(`${path}?request=${logout}`), 403);
    expectErrorPage(await browser.get(`/logout/confirm?request=${authorization}`), 403);
  });
});

describe('a login page that was open too long (decisions 12)', () => {
  test.each([
    [14 * 60 + 59, 'goes on'],
    [15 * 60, 'starts anew'],
    [16 * 60, 'starts anew'],
    [3600, 'starts anew'],
  ])('%i seconds: %s, and ends in the app', async (seconds) => {
    const browser = idp.browser();
    const login = await ask(browser, 'own', { prompt: 'login' });
    idp.advance(seconds);
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('so does a consent page', async () => {
    const browser = await signedInBrowser(idp);
    const consent = await ask(browser, 'shop', { prompt: 'consent' });
    idp.advance(16 * 60);
    expect(codeOf(await browser.submit(consent, allow))).not.toBe('');
  });

  test('a bookmarked login page is a fresh visit', async () => {
    const browser = idp.browser();
    const { url } = await ask(browser, 'own');
    idp.advance(40 * 3600);
    const login = await browser.get(url);
    expect(kindOf(login)).toBe('/login');
    expect(answerOf(await signIn(browser, login))).toMatchObject({ code: expect.any(String), state: 's1' });
  });

  test('what was done for it counts for 15 minutes, and no longer', async () => {
    const browser = await signedInBrowser(idp);
    const login = await ask(browser, 'own', { prompt: 'login' });
    codeOf(await signIn(browser, login));
    const resume = `/authorize/resume?request=${sealOf(login)}`;
    idp.advance(14 * 60);
    expect(codeOf(await browser.get(resume))).not.toBe('');
    idp.advance(60);
    expect(kindOf(await browser.get(resume))).toBe('/login');
  });
});

describe('a sealed request in another browser (INT-15, hardening 9)', () => {
  test('starts anew there, and ends in the app', async () => {
    const login = await ask(idp.browser(), 'own');
    const other = idp.browser();
    const fresh = await other.get(login.url);
    expect(kindOf(fresh)).toBe('/login');
    expect(codeOf(await signIn(other, fresh))).not.toBe('');
  });

  test('does not carry over what was done for it: prompt=login asks there too', async () => {
    const login = await ask(idp.browser(), 'own', { prompt: 'login' });
    idp.advance(10);
    const other = await signedInBrowser(idp); // since the request arrived elsewhere
    expect(kindOf(await other.get(`/authorize/resume?request=${sealOf(login)}`))).toBe('/login');
  });

  test('nor the consent that was given for it', async () => {
    const first = await signedInBrowser(idp);
    const consent = await ask(first, 'shop', { prompt: 'consent' });
    codeOf(await first.submit(consent, allow));
    const other = await signedInBrowser(idp);
    expect(kindOf(await other.get(`/authorize/resume?request=${sealOf(consent)}`))).toBe('/consent');
  });

  test('does not answer for somebody who is not signed in there', async () => {
    const first = idp.browser();
    const login = await ask(first, 'own');
    codeOf(await signIn(first, login));
    expect(kindOf(await idp.browser().get(`/authorize/resume?request=${sealOf(login)}`))).toBe('/login');
  });

  test.each(['/login', '/consent', '/choose-account', '/authorize/resume'])(
    'without any cookie, at %s: no dead end',
    async (path) => {
      const browser = await signedInBrowser(idp);
      const seal = sealOf(await ask(browser, 'shop'));
      browser.cookies.clear();
      const login = await browser.get(`${path}?request=${seal}`);
      expect(kindOf(login)).toBe('/login');
      const consent = await signIn(browser, login);
      expect(codeOf(await browser.submit(consent, allow))).not.toBe('');
    },
  );

  test('lost cookies on the login page: it says so, and the next try ends in the app', async () => {
    const browser = idp.browser();
    const login = await ask(browser, 'own', { login_hint: 'ada@example.com' });
    browser.cookies.clear();
    const again = await signIn(browser, login);
    expect([again.status, kindOf(again)]).toEqual([403, '/login']);
    expect(again.html).toContain('cookies');
    expect(codeOf(await signIn(browser, again))).not.toBe('');
  });
});

describe('the Back button (decisions 12)', () => {
  test('to the login page after the sign-in: the form works again, with another code', async () => {
    const browser = idp.browser();
    const login = await ask(browser, 'own');
    const [first, second] = [await signIn(browser, login), await signIn(browser, login)].map(codeOf);
    expect(first).not.toBe(second);
  });

  test('to the consent page after Allow: the form works again, and Deny is still Deny', async () => {
    const browser = await signedInBrowser(idp);
    const consent = await ask(browser, 'shop');
    const [first, second] = [await browser.submit(consent, allow), await browser.submit(consent, allow)].map(
      codeOf,
    );
    expect(first).not.toBe(second);
    expect(answerOf(await browser.submit(consent, { action: 'deny' })).error).toBe('access_denied');
  });

  test('to the chooser: the form works again', async () => {
    const browser = await signedInBrowser(idp);
    const chooser = await ask(browser, 'own', { prompt: 'select_account' });
    const choose = () => browser.submit(chooser, { action: 'continue' });
    const [first, second] = [await choose(), await choose()].map(codeOf);
    expect(first).not.toBe(second);
  });

  test('two tabs do not mix (INT-15)', async () => {
    const browser = idp.browser();
    const first = await ask(browser, 'own', { state: 'first' });
    const second = await ask(browser, 'own', { state: 'second' });
    expect(answerOf(await signIn(browser, second)).state).toBe('second');
    expect(answerOf(await signIn(browser, first)).state).toBe('first');
  });
});

describe('a restart in the middle', () => {
  test('on the login page: the form works', async () => {
    const browser = idp.browser();
    const login = await ask(browser, 'own');
    await idp.restart();
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('on the consent page: the form works', async () => {
    const browser = await signedInBrowser(idp);
    const consent = await ask(browser, 'shop');
    await idp.restart();
    expect(codeOf(await browser.submit(consent, allow))).not.toBe('');
  });

  test('between the code and its redemption: the code is good', async () => {
    const blog = await idp.addClient({}, 'blog');
    const code = codeOf(await ask(await signedInBrowser(idp), 'blog'));
    await idp.restart();
    expect((await redeem(idp, blog, code)).status).toBe(200);
  });
});
