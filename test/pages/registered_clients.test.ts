/** What people see of applications that registered themselves. */
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import type { Browser, Page } from '../support/browser.js';
import { formOf } from '../support/browser.js';
import { authorizeUrl, responseOf, signIn } from '../support/flow.js';
import { type Form, formBody, type TestIdp } from '../support/idp.js';
import { cb, initialToken, registered, startOpen } from '../support/registration.js';

const unchecked = 'Nobody has checked that it is what its name says.';

/** Somebody who is signed in, and an application that registered itself. */
async function start(metadata: object = {}) {
  const idp = await startOpen();
  await idp.addUser();
  const client = await registered(idp, metadata);
  const browser = idp.browser();
  const open = (changes: Form = {}, of = client.client_id) =>
    browser.get(authorizeUrl(of, { redirect_uri: cb, ...changes }));
  return { idp, client, browser, open };
}

async function signedIn(browser: Browser): Promise<Page> {
  return signIn(browser, await browser.get('/login'));
}

describe('consent to an application that registered itself', () => {
  test('is always asked, with where it leads and that nobody checked it; it is remembered (INT-12)', async () => {
    const { browser, open } = await start();
    const page = await signIn(browser, await open());
    expect(new URL(page.url).pathname).toBe('/consent');
    expect(page.html).toContain(unchecked);
    expect(page.html).toMatch(/you go back to <bdi class="host">app\.example<\/bdi>/);
    expect(responseOf(await browser.submit(page, { action: 'allow' })).code).toBeDefined();
    expect(responseOf(await open({ prompt: 'none' })).code).toBeDefined();
  });

  test('says nothing of that where it came with an initial access token', async () => {
    const { idp, browser, open } = await start();
    const vouched = await registered(idp, {}, { token: await initialToken(idp) });
    const page = await signIn(browser, await open({}, vouched.client_id));
    expect([new URL(page.url).pathname, page.html.includes(unchecked)]).toEqual(['/consent', false]);
  });
});

describe('a request to sign out of an application that nobody answers for (RFC 9700 §4.11.2)', () => {
  const bye = 'https://app.example/bye';
  const asked = (client_id: string) => `/logout?${formBody({ client_id, post_logout_redirect_uri: bye })}`;

  test('leads nobody there who is not signed in, by link or by form (AUT-25)', async () => {
    const { client, browser } = await start({ post_logout_redirect_uris: [bye] });
    const { client_id } = client;
    for (const page of [
      await browser.get(asked(client_id)),
      await browser.post('/logout', { client_id, post_logout_redirect_uri: bye }),
    ])
      expect([page.status, page.url]).toEqual([200, expect.stringContaining('/signed-out?client_id=')]);
  });

  test('goes there once a person has signed out (RIL-02)', async () => {
    const { client, browser } = await start({ post_logout_redirect_uris: [bye] });
    await signedIn(browser);
    const question = await browser.get(asked(client.client_id));
    const answer = await browser.submit(question, { action: 'sign_out' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, bye]);
  });

  test('goes there at once where the operator gave out the initial access token', async () => {
    const { idp, browser } = await start();
    const token = await initialToken(idp);
    const vouched = await registered(idp, { post_logout_redirect_uris: [bye] }, { token });
    expect((await browser.get(asked(vouched.client_id))).headers.get('location')).toBe(bye);
  });
});

describe('the name of an application', () => {
  const translated = {
    client_name: 'Shop',
    'client_name#de': 'Laden',
    'client_name#fr': 'Boutique',
    'policy_uri#de': 'https://app.example/datenschutz',
  };

  test.each<[string, Form, Record<string, string>]>([
    ['Shop', {}, {}],
    ['Laden', { ui_locales: 'de-AT fr' }, {}],
    ['Boutique', { ui_locales: 'tlh fr de' }, { 'accept-language': 'de' }],
    ['Laden', {}, { 'accept-language': 'es;q=0.3, de-DE' }],
    ['Shop', { ui_locales: 'en' }, { 'accept-language': 'es' }],
  ])('is %s with %j and %j (INT-11, REG-13)', async (name, changes, headers) => {
    const { browser, client } = await start(translated);
    const url = authorizeUrl(client.client_id, { redirect_uri: cb, ...changes });
    const { headers: at } = await browser.request(url);
    const login = await browser.request(at.get('location') ?? '', { headers });
    expect(/<h1>.*<\/h1>/.exec(login.html)?.[0]).toContain(`<bdi>${name}</bdi>`);
  });

  test('is the same on the consent page, with its documents (INT-11, REG-13)', async () => {
    const { browser, open } = await start(translated);
    const { html } = await signIn(browser, await open({ ui_locales: 'de' }));
    expect(html).toContain('<title>Laden zulassen?');
    expect(html).toContain('Darf <bdi>Laden</bdi>');
    expect(html).toContain('href="https://app.example/datenschutz"');
  });
});

describe('an error for an application that nobody answers for (RFC 9700 §4.11.2)', () => {
  const bad = { response_type: 'x' };

  test('is a page with a link, not a redirect (AUT-25)', async () => {
    const { open } = await start({ client_name: 'Bank <b>' });
    const { status, html, headers } = await open(bad);
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(html).toContain('<bdi>Bank &lt;b&gt;</bdi>');
    expect(html).toContain(unchecked);
    expect(html).toMatch(
      /href="https:\/\/app\.example\/cb\?error=unsupported_response_type&amp;error_description=[^"]*&amp;state=s1&amp;iss=/,
    );
  });

  test.each([
    ['without a session', false, 'login_required'],
    ['with a session, before any consent', true, 'consent_required'],
  ])(
    'goes there by itself for prompt=none %s: no page may be shown (AUT-25, INT-01)',
    async (_, session, error) => {
      const { browser, open } = await start();
      if (session) await signedIn(browser);
      expect(responseOf(await open({ prompt: 'none' })).error).toBe(error);
    },
  );

  test('that wants form_post is a form that a person sends (AUT-25)', async () => {
    const { open } = await start();
    const { html } = await open({ ...bad, response_mode: 'form_post' });
    expect(formOf(html)).toMatchObject({
      action: cb,
      hidden: { error: 'unsupported_response_type', state: 's1' },
    });
    expect(html).not.toContain('<script');
  });

  test('goes there by itself once the person agreed to the application, and when they say no', async () => {
    const { browser, open } = await start();
    const page = await signIn(browser, await open());
    expect(responseOf(await browser.submit(page, { action: 'deny' })).error).toBe('access_denied');
    await browser.submit(await open(), { action: 'allow' });
    expect(responseOf(await open(bad)).error).toBe('unsupported_response_type');
  });

  test('goes there by itself for one that came with an initial access token', async () => {
    const { idp, open } = await start();
    const vouched = await registered(idp, {}, { token: await initialToken(idp) });
    expect(responseOf(await open(bad, vouched.client_id)).error).toBe('unsupported_response_type');
  });
});

describe('the start page', () => {
  const initiate_login_uri = 'https://app.example/start?from=list';
  const href = (idp: TestIdp) =>
    `href="https://app.example/start?from=list&amp;${new URLSearchParams({ iss: idp.issuer })}"`;

  test('lists what a person may start, and nothing for strangers (REG-12, REG-19)', async () => {
    const { idp, browser } = await start();
    await idp.addClient({ client_name: 'Wiki', 'client_name#de': 'Lexikon', initiate_login_uri });
    await idp.addClient({ client_name: 'Silent' });
    const gone = await idp.addClient({ client_name: 'Gone', initiate_login_uri });
    await idp.addClient({ client_name: 'Gone', initiate_login_uri }, 'gone');
    await updateClient(idp.deps, gone.client.client_id, { initiate_login_uri: null }, idp.now());
    const { html: before } = await browser.get('/');
    expect(before).not.toMatch(/\bWiki\b|app\.example|Your applications/);
    const { html } = await signedIn(browser);
    expect(html).toContain('Your applications');
    expect(html).toContain(href(idp));
    expect([
      html.match(/<bdi>Wiki/g)?.length,
      html.match(/<bdi>Gone/g)?.length,
      html.includes('Silent'),
    ]).toEqual([...[1, 1, false]]);
    const german = await browser.request('/', { headers: { 'accept-language': 'de' } });
    expect(german.html).toContain('<bdi>Lexikon</bdi>');
  });

  test('has one that registered itself for those who agreed to it, and for nobody else (REG-19)', async () => {
    const { idp, browser, open } = await start({ client_name: 'Bank', initiate_login_uri });
    expect((await signedIn(browser)).html).not.toMatch(/\bBank\b/);
    await browser.submit(await open(), { action: 'allow' });
    expect((await browser.get('/')).html).toContain(href(idp));
    await idp.addUser({ email: 'bob@example.com' });
    const bob = idp.browser();
    const page = await signIn(bob, await bob.get('/login'), { email: 'bob@example.com' });
    expect(page.html).not.toMatch(/\bBank\b/);
  });
});
