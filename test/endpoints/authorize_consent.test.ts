import { beforeEach, describe, expect, test } from 'vitest';
import {
  addressesOf,
  answerOf,
  ask,
  codeOf,
  headingOf,
  kindOf,
  methods,
  signedInBrowser,
} from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { redeem, signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { publicClient } from '../support/shop.js';

const documents = {
  client_name: 'Tea & <Biscuits>',
  logo_uri: 'https://shop.example/logo.png',
  policy_uri: 'https://shop.example/policy',
  tos_uri: 'https://shop.example/terms?x=1&y=2',
};

let idp: TestIdp;
let browser: Browser;
beforeEach(async () => {
  idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
  await idp.addUser();
  await idp.addClient({ first_party: false, ...documents }, 'shop');
  browser = await signedInBrowser(idp);
});

const allow = { action: 'allow' };

describe('the consent page (INT-11, INT-12)', () => {
  test.each(methods)('is shown before the first code, and the answer follows it, by %s', async (method) => {
    const consent = await ask(browser, 'shop', { scope: 'openid email' }, method);
    expect([consent.status, kindOf(consent)]).toEqual([200, '/consent']);
    expect(answerOf(await browser.submit(consent, allow))).toEqual({
      code: expect.any(String),
      state: 's1',
      iss: 'https://id.example',
      session_state: expect.any(String),
    });
  });

  test('says who asks, for whom, for what, and where it leads', async () => {
    const { html } = await ask(browser, 'shop', { scope: 'openid email offline_access' });
    expect(html).toContain('Tea &amp; &lt;Biscuits&gt;');
    expect(html).not.toContain('<Biscuits>');
    expect(html).toContain('ada@example.com');
    expect(html).toMatch(/e-?mail address/i);
    expect(html).toMatch(/while you are away/i);
    expect(html).toContain('shop.example');
  });

  test('says no more than what is asked for', async () => {
    const { html } = await ask(browser, 'shop');
    expect(html).not.toMatch(/postal|phone|while you are away|profile details/i);
  });

  test('shows the logo from our own address, and links to policy and terms, as the login page does', async () => {
    const login = await ask(idp.browser(), 'shop');
    const consent = await ask(browser, 'shop');
    expect([headingOf(login), headingOf(consent)]).toEqual([
      'Sign in to continue to Tea & <Biscuits>',
      'Allow Tea & <Biscuits> to use your account?',
    ]);
    for (const page of [login, consent]) {
      expect(addressesOf(page)).toEqual(
        expect.arrayContaining(['/logos/shop', documents.policy_uri, documents.tos_uri]),
      );
      expect(page.html).not.toContain(documents.logo_uri);
    }
  });
});

describe('what was agreed to is remembered', () => {
  beforeEach(async () => {
    codeOf(await browser.submit(await ask(browser, 'shop', { scope: 'openid email' }), allow));
  });

  test('the same, or less, is not asked again: not silently either (INT-12)', async () => {
    for (const scope of ['openid email', 'email openid', 'openid', 'email'])
      for (const prompt of [undefined, 'none'])
        expect(codeOf(await ask(browser, 'shop', { scope, prompt }))).not.toBe('');
  });

  test('more is asked again, and both are remembered (INT-12)', async () => {
    expect(answerOf(await ask(browser, 'shop', { scope: 'openid phone', prompt: 'none' })).error).toBe(
      'consent_required',
    );
    const wider = await ask(browser, 'shop', { scope: 'openid phone' });
    expect(kindOf(wider)).toBe('/consent');
    codeOf(await browser.submit(wider, allow));
    expect(codeOf(await ask(browser, 'shop', { scope: 'openid email phone', prompt: 'none' }))).not.toBe('');
  });

  test('offline_access is more (INT-14)', async () => {
    expect(kindOf(await ask(browser, 'shop', { scope: 'openid email offline_access' }))).toBe('/consent');
  });

  test('for another browser and a later session of the same user', async () => {
    const other = await signedInBrowser(idp);
    expect(codeOf(await ask(other, 'shop', { scope: 'openid email', prompt: 'none' }))).not.toBe('');
  });

  test('not for another client (INT-17)', async () => {
    await idp.addClient({ first_party: false }, 'blog');
    expect(kindOf(await ask(browser, 'blog', { scope: 'openid email' }))).toBe('/consent');
  });

  test('not for another user', async () => {
    await idp.addUser({ email: 'bob@example.com' });
    const bobs = await signedInBrowser(idp, 'bob@example.com');
    expect(kindOf(await ask(bobs, 'shop', { scope: 'openid email' }))).toBe('/consent');
  });

  test('prompt=consent asks all the same, once (INT-04)', async () => {
    const consent = await ask(browser, 'shop', { scope: 'openid email', prompt: 'consent' });
    expect(kindOf(consent)).toBe('/consent');
    expect(codeOf(await browser.submit(consent, allow))).not.toBe('');
  });

  test('and a restart does not forget it', async () => {
    await idp.restart();
    expect(codeOf(await ask(browser, 'shop', { scope: 'openid email', prompt: 'none' }))).not.toBe('');
  });
});

describe('who does not agree', () => {
  test.each([
    ['presses Deny', { action: 'deny' }],
    ['sends no choice', {}],
    ['sends an empty choice', { action: '' }],
    ['sends a choice that is unknown (hardening 13)', { action: 'ALLOW' }],
  ])('%s: the client is told access_denied, and nothing is remembered (INT-10)', async (_, choice) => {
    const consent = await ask(browser, 'shop');
    expect(answerOf(await browser.submit(consent, choice))).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      error_uri: 'https://id.example/errors#access_denied',
      state: 's1',
      iss: 'https://id.example',
    });
    expect(kindOf(await ask(browser, 'shop'))).toBe('/consent');
  });

  test('two choices at once are no choice', async () => {
    const page = await browser.submit(await ask(browser, 'shop'), { action: ['allow', 'deny'] });
    expect(kindOf(page)).toBe('error page 400');
    expect(kindOf(await ask(browser, 'shop'))).toBe('/consent');
  });

  test('is answered by form_post where that was asked for', async () => {
    const consent = await ask(browser, 'shop', { response_mode: 'form_post' });
    const page = await browser.submit(consent, { action: 'deny' });
    expect([page.status, answerOf(page).error]).toEqual([200, 'access_denied']);
  });
});

test('a form that was altered gets no more than the page showed (INT-16)', async () => {
  const shop = await idp.addClient({ first_party: false }, 'greedy');
  const consent = await ask(browser, 'greedy', { scope: 'openid' });
  const more = {
    ...allow,
    scope: 'openid email phone',
    client_id: 'shop',
    redirect_uri: 'https://evil.example',
  };
  const { body } = await redeem(idp, shop, codeOf(await browser.submit(consent, more)));
  expect(body.scope).toBe('openid');
  expect(kindOf(await ask(browser, 'greedy', { scope: 'openid email' }))).toBe('/consent');
});

describe('who need not ask (decisions 23)', () => {
  test("the operator's own application, unless it wants to", async () => {
    await idp.addClient({ first_party: true }, 'own');
    expect(codeOf(await ask(browser, 'own', { scope: 'openid email phone' }))).not.toBe('');
    expect(codeOf(await ask(browser, 'own', { scope: 'openid email phone', prompt: 'none' }))).not.toBe('');
    const consent = await ask(browser, 'own', { prompt: 'consent' });
    expect(kindOf(consent)).toBe('/consent');
    expect(codeOf(await browser.submit(consent, allow))).not.toBe('');
  });

  test('a public client on https, once it was agreed to', async () => {
    await idp.addClient({ first_party: false, ...publicClient }, 'spa');
    codeOf(await browser.submit(await ask(browser, 'spa'), allow));
    expect(codeOf(await ask(browser, 'spa', { prompt: 'none' }))).not.toBe('');
  });
});

describe('who asks each time (RFC 8252 §8.6, decisions 23)', () => {
  const native = {
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
  };
  const redirects = ['http://127.0.0.1:51004/cb', 'com.example.app:/cb'];

  test.each(redirects.flatMap((uri) => [true, false].map((first_party) => [uri, first_party] as const)))(
    'a public client that comes back to %s, with first_party %s',
    async (redirect_uri, first_party) => {
      await idp.addClient({ ...native, ...publicClient, first_party }, 'tool');
      for (let time = 0; time < 2; time += 1) {
        const silent = answerOf(await ask(browser, 'tool', { redirect_uri, prompt: 'none' }));
        expect(silent.error).toBe('consent_required');
        const consent = await ask(browser, 'tool', { redirect_uri });
        expect(kindOf(consent)).toBe('/consent');
        expect(consent.html).toContain('runs on your own device');
        const location = (await browser.submit(consent, allow)).headers.get('location') ?? '';
        expect(location.startsWith(`${redirect_uri}?code=`)).toBe(true);
      }
    },
  );

  test('not a confidential client: it proves who it is at the token endpoint', async () => {
    await idp.addClient({ ...native, first_party: false }, 'tool');
    const request = { redirect_uri: 'http://127.0.0.1:51004/cb' };
    codeOf(await browser.submit(await ask(browser, 'tool', request), allow));
    expect(codeOf(await ask(browser, 'tool', { ...request, prompt: 'none' }))).not.toBe('');
  });

  test('and somebody who signed in for it is asked too', async () => {
    await idp.addClient({ ...native, ...publicClient, first_party: true }, 'tool');
    const fresh = idp.browser();
    const login = await ask(fresh, 'tool', { redirect_uri: 'com.example.app:/cb' });
    expect(kindOf(await signIn(fresh, login))).toBe('/consent');
  });
});
