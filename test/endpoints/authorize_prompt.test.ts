import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { answerOf, ask, codeOf, headingOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import { redeem, signIn } from '../support/flow.js';
import { type Form, startIdp } from '../support/idp.js';

async function start(metadata: object = {}) {
  const idp = await startIdp();
  await idp.addUser();
  const shop = await idp.addClient(metadata, 'shop');
  /** The auth_time in the ID token of a code. */
  const authTime = async (code: string) => decodeJwt((await redeem(idp, shop, code)).body.id_token).auth_time;
  return { idp, authTime };
}

describe.each(methods)('by %s, prompt=none never shows a page (INT-01)', (method) => {
  test('nobody is signed in: login_required', async () => {
    const { idp } = await start();
    const answer = answerOf(await ask(idp.browser(), 'shop', { prompt: 'none' }, method));
    expect(answer).toMatchObject({ error: 'login_required', state: 's1', iss: idp.issuer });
  });

  test('somebody is: a code', async () => {
    const { idp } = await start();
    const page = await ask(await signedInBrowser(idp), 'shop', { prompt: 'none' }, method);
    expect(codeOf(page)).not.toBe('');
  });

  test('consent is missing: consent_required', async () => {
    const { idp } = await start({ first_party: false });
    const answer = answerOf(await ask(await signedInBrowser(idp), 'shop', { prompt: 'none' }, method));
    expect(answer).toMatchObject({ error: 'consent_required', state: 's1', iss: idp.issuer });
  });

  test.each<[string, Form]>([
    ['the session is too old', { max_age: '60' }],
    ['max_age is 0', { max_age: '0' }],
    ['another user is asked for', { claims: '{"id_token":{"sub":{"value":"somebody"}}}' }],
  ])('%s: login_required', async (_, changes) => {
    const { idp } = await start();
    const answer = answerOf(
      await ask(await signedInBrowser(idp), 'shop', { prompt: 'none', ...changes }, method),
    );
    expect(answer).toMatchObject({ error: 'login_required', state: 's1' });
  });

  test('no cookie is set for somebody who is only asked about', async () => {
    const { idp } = await start();
    const browser = idp.browser();
    const url = `/authorize?client_id=shop&response_type=code&prompt=none&redirect_uri=https://shop.example/cb`;
    expect((await browser.request(url)).headers.getSetCookie()).toEqual([]);
  });
});

describe.each(methods)('by %s, prompt=login', (method) => {
  test('asks for the password although a session exists, once, and moves auth_time (INT-03, §29.2, IDT-05)', async () => {
    const { idp, authTime } = await start();
    const browser = await signedInBrowser(idp);
    const before = await authTime(codeOf(await ask(browser, 'shop')));
    const login = await ask(browser, 'shop', { prompt: 'login' }, method);
    expect(kindOf(login)).toBe('/login');

    idp.advance(5);
    const page = await signIn(browser, login);
    const after = await authTime(codeOf(page)); // at once: not asked again
    expect(after).toBe(idp.now());
    expect(after).toBeGreaterThan(Number(before));
  });

  test('is not met by a wrong password', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const login = await ask(browser, 'shop', { prompt: 'login' }, method);
    const again = await signIn(browser, login, { password: 'wrong password' });
    expect([again.status, kindOf(again)]).toEqual([400, '/login']);
    expect(codeOf(await signIn(browser, again))).not.toBe('');
  });

  test('is not met by going on without a sign-in', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const login = await ask(browser, 'shop', { prompt: 'login' }, method);
    const resumed = await browser.get(login.url.replace('/login?', '/authorize/resume?'));
    expect(kindOf(resumed)).toBe('/login');
  });

  test('each request is asked for by itself', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    await signIn(browser, await ask(browser, 'shop', { prompt: 'login' }, method));
    expect(kindOf(await ask(browser, 'shop', { prompt: 'login' }, method))).toBe('/login');
  });
});

describe('prompt words together (INT-04)', () => {
  test('login consent: the password, then consent, then the code', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const login = await ask(browser, 'shop', { prompt: 'consent login' });
    expect(kindOf(login)).toBe('/login');
    const consent = await signIn(browser, login);
    expect(kindOf(consent)).toBe('/consent');
    expect(codeOf(await browser.submit(consent, { action: 'allow' }))).not.toBe('');
  });

  test('select_account consent: the chooser, then consent, then the code', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const chooser = await ask(browser, 'shop', { prompt: 'select_account consent' });
    expect(kindOf(chooser)).toBe('/choose-account');
    const consent = await browser.submit(chooser, { action: 'continue' });
    expect(kindOf(consent)).toBe('/consent');
    expect(codeOf(await browser.submit(consent, { action: 'allow' }))).not.toBe('');
  });

  test('login select_account: who just signed in has chosen', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const login = await ask(browser, 'shop', { prompt: 'login select_account' });
    expect(kindOf(login)).toBe('/login');
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('the same word twice is once', async () => {
    const { idp } = await start();
    const browser = idp.browser();
    expect(codeOf(await signIn(browser, await ask(browser, 'shop', { prompt: 'login login' })))).not.toBe('');
  });
});

describe.each(methods)('by %s, max_age (INT-05)', (method) => {
  test('that the session is younger than: no page, and the same auth_time (IDT-05)', async () => {
    const { idp, authTime } = await start();
    const browser = await signedInBrowser(idp); // 100 seconds ago
    const page = await ask(browser, 'shop', { max_age: '100' }, method);
    expect(await authTime(codeOf(page))).toBe(idp.now() - 100);
  });

  test.each(['99', '1', '0'])(
    'of %s, which the session is older than: the password, once',
    async (max_age) => {
      const { idp, authTime } = await start();
      const browser = await signedInBrowser(idp);
      const login = await ask(browser, 'shop', { max_age }, method);
      expect(kindOf(login)).toBe('/login');
      const page = await signIn(browser, login);
      expect(await authTime(codeOf(page))).toBe(idp.now());
    },
  );

  test('is met by the sign-in of this very request, however long the next page takes', async () => {
    const { idp } = await start({ first_party: false });
    const browser = await signedInBrowser(idp);
    const consent = await signIn(browser, await ask(browser, 'shop', { max_age: '1' }, method));
    idp.advance(60);
    expect(codeOf(await browser.submit(consent, { action: 'allow' }))).not.toBe('');
  });

  test('default_max_age counts where the request says nothing (INT-06)', async () => {
    const { idp } = await start({ default_max_age: 50 });
    const browser = await signedInBrowser(idp);
    expect(kindOf(await ask(browser, 'shop', {}, method))).toBe('/login');
    expect(codeOf(await ask(browser, 'shop', { max_age: '500' }, method))).not.toBe('');
    const silent = answerOf(await ask(browser, 'shop', { prompt: 'none' }, method));
    expect(silent.error).toBe('login_required');
  });
});

test('require_auth_time behaves as if it were asked for: auth_time is in every ID token (INT-06)', async () => {
  const { idp, authTime } = await start({ require_auth_time: true, id_token_claims: 'minimal' });
  const browser = await signedInBrowser(idp);
  expect(await authTime(codeOf(await ask(browser, 'shop')))).toBe(idp.now() - 100);
});

test('a person who cancels sends the application access_denied (INT-10)', async () => {
  const { idp } = await start();
  const browser = idp.browser();
  const login = await ask(browser, 'shop');
  expect(headingOf(login)).toBe('Sign in to continue to Shop');
  const answer = answerOf(await browser.submit(login, { action: 'cancel' }));
  expect(answer).toEqual({
    error: 'access_denied',
    error_description: expect.any(String),
    error_uri: `${idp.issuer}/errors#access_denied`,
    state: 's1',
    iss: idp.issuer,
  });
});
