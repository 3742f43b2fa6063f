/** The demo, as somebody clicks through it: two applications on two sites, an API that verifies offline, one password. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createNarrator } from '../../src/demo/narrator.js';
import { person } from '../../src/demo/seed.js';
import { type Demo, startDemo } from '../../src/demo/start.js';
import { newVisit, typeCredentials } from '../support/chromium.js';

const anyPorts = { server: 0, app_a: 0, app_b: 0, api: 0 };
const lines: string[] = [];
let demo: Demo;

function narrator() {
  return createNarrator({ print: (line) => void lines.push(line), colour: false });
}

beforeAll(async () => {
  demo = await startDemo({ ports: anyPorts, narrator: narrator() });
});

afterAll(async () => {
  await demo.close();
});

const heading = (page: Page) => page.locator('h1').textContent();
const textOf = (page: Page, role: 'main' | 'status') => page.getByRole(role).textContent();
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const follow = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();

/** It takes a fraction of a second where the machine has nothing else to do. */
const patience = { timeout: 10_000 };
const silent_check = '/login?silent=1&return_to=/checked';

async function reloaded(page: Page): Promise<string | null> {
  await page.reload();
  return textOf(page, 'main');
}

/** Opens an app and signs in with the password. */
async function signInAt(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await follow(page, 'Sign in');
  await typeCredentials(page, person);
}

describe('in a browser', () => {
  test('one password opens two sites; who signs out at one is signed out of the other, and of the API', async () => {
    const { page } = await newVisit();
    const seen: string[] = [];
    page.on('request', (request) => void seen.push(request.url()));
    const from = lines.length;

    await signInAt(page, demo.urls.app_a);
    await page.waitForURL(`${demo.urls.app_a}/`); // App A belongs to the operator: no consent page
    expect(await heading(page)).toBe('Hello, Dana Demo');
    expect(await textOf(page, 'main')).toContain('"scope": "api:read"'); // what the API answered
    expect(await textOf(page, 'main')).toContain('"alg": "RS256"'); // the ID token's header

    await follow(page, 'Now open App B');
    await follow(page, 'Sign in');
    await press(page, 'Allow'); // no password, but App B's consent page
    await page.waitForURL(`${demo.urls.app_b}/`);
    expect(await heading(page)).toBe('Hello, Dana Demo');
    expect(seen.filter((url) => new URL(url).pathname === '/login' && url.includes('request='))).toHaveLength(
      1,
    );

    await page.goto(demo.urls.app_a);
    await press(page, 'Sign out everywhere');
    await page.waitForURL(`${demo.urls.app_a}/signed-out`);

    await expect.poll(() => steps(from), patience).toContain(told);
    await page.goto(demo.urls.app_b);
    expect(await heading(page)).toBe('Nobody is signed in here');
    expect(await textOf(page, 'status')).toContain('signed out here, too');
    await expect
      .poll(() => reloaded(page), patience)
      .toContain('"error_description": "the token was revoked"');
    await page.goto(demo.urls.app_a);
    expect(await textOf(page, 'main')).toContain('the token was revoked'); // its own, too

    const story = steps(from);
    expect(story.slice(0, wholeStory.length)).toEqual(wholeStory);
    expect(story.slice(wholeStory.length)).toEqual(
      expect.arrayContaining([
        told,
        'Sallyport: has told App B that the session ended',
        'API: refuses a token: revoked',
      ]),
    );
    expectNoSecrets(seen);
  });

  test('signing out here leaves the session at the server, and the silent check finds it', async () => {
    const { page } = await newVisit();
    await signInAt(page, demo.urls.app_a);
    await press(page, 'Sign out here');
    expect(await heading(page)).toBe('Nobody is signed in here');

    expect(await textOf(page, 'main')).toContain('The API still takes it');
    await page.goto(demo.urls.app_a + silent_check);
    expect(await heading(page)).toBe('Hello, Dana Demo');
    await follow(page, 'Am I still signed in?');
    await page.waitForURL(`${demo.urls.app_a}/`);
    expect(await textOf(page, 'status')).toContain('Yes, you are still signed in.');
  });

  test('a page from before a sign-out elsewhere says that nobody is signed in there either', async () => {
    const { newTab, page } = await newVisit();
    await signInAt(page, demo.urls.app_a);
    await page.waitForURL(`${demo.urls.app_a}/`);
    const from = lines.length;
    const account = await newTab();
    await account.goto(demo.urls.server);
    await press(account, 'Sign out');
    await expect.poll(() => steps(from), patience).toContain(told.replace('App B', 'App A'));
    await press(page, 'Sign out everywhere');
    expect(await heading(page)).toBe('You are signed out');
    await follow(page, 'To the start page');
    expect(await textOf(page, 'status')).toContain('signed out here, too');
  });

  test('a question that the silent check may not ask, or nobody there to ask, is said', async () => {
    const fresh = await startDemo({ ports: anyPorts, narrator: narrator() }); // nobody has agreed to App B in this one
    onTestFinished(() => fresh.close());
    const { page } = await newVisit();
    await page.goto(fresh.urls.app_b + silent_check);
    expect(await textOf(page, 'status')).toContain('nobody is signed in there');
    await signInAt(page, fresh.urls.app_a);
    await page.waitForURL(`${fresh.urls.app_a}/`);
    await page.goto(fresh.urls.app_b + silent_check);
    expect(await textOf(page, 'status')).toContain('has a question for you first');
  });

  test('who does not agree comes to a kind page', async () => {
    const { page } = await newVisit();
    await page.goto(demo.urls.app_b);
    await follow(page, 'Sign in');
    await page.click('button[value=cancel]');
    expect(await heading(page)).toBe('You are not signed in');
    expect(await textOf(page, 'main')).toContain('access_denied');
    await follow(page, 'To the start page');
    expect(await heading(page)).toBe('Nobody is signed in here');
  });
});

/** Who did what, without number and time. */
function steps(from: number): string[] {
  return lines.slice(from).map((line) => line.replace(/^ *\d+ {2}\S+ {2}/, '').replace(/ {2,}/, ': '));
}

const told = 'App B: is told that its person signed out elsewhere, and signs them out here';

/** Up to the sign-out. What follows happens in several places at once. */
const wholeStory = [
  'App A: sends the browser to sign in, with state, nonce and PKCE',
  'Sallyport: demo@example.com signed in with the password',
  'Sallyport: gives App A a code for demo@example.com, good once',
  'Sallyport: gives App A its tokens, grant_type=authorization_code',
  'App A: checked the ID token: demo@example.com is signed in here',
  'API: fetches the JWK Set, and keeps it',
  'API: listens for revocations (/revocations)',
  'API: verified the access token of app-a, asking nobody',
  'App B: sends the browser to sign in, with state, nonce and PKCE',
  'Sallyport: demo@example.com agrees to share with App B, and is not asked again',
  'Sallyport: gives App B a code for demo@example.com, good once',
  'Sallyport: gives App B its tokens, grant_type=authorization_code',
  'App B: checked the ID token: demo@example.com is signed in here',
  'API: verified the access token of app-b, asking nobody',
  'API: verified the access token of app-a, asking nobody',
  'App A: sends the browser to sign out everywhere (id_token_hint)',
  'Sallyport: demo@example.com is signed out: the session has ended, its access tokens are revoked',
];

/** Of what the browser carried in its addresses, and of any token, nothing is in a line. */
function expectNoSecrets(urls: readonly string[]): void {
  const told = lines.join('\n');
  const carried = urls
    .flatMap((url) => [...new URL(url).searchParams.values()])
    .filter((value) => value.length >= 40);
  const opaque = carried.filter((value) => !value.startsWith('http')); // code, state, nonce, hint, seal
  expect(opaque.length).toBeGreaterThan(5);
  expect(opaque.filter((value) => told.includes(value))).toEqual([]);
  expect(told).not.toMatch(/eyJ[\w-]{20}/);
  expect(told).not.toContain(person.password);
}

describe('without a browser', () => {
  test.each([
    ['no sign-in of this browser waits for', '/callback?code=c&state=s&iss=i', 400, 'sign_in_unknown'],
    ['has no state', '/callback?error=access_denied', 400, 'sign_in_unknown'],
    ['is malformed', '/callback?state=%E0%A4%A&code=%', 400, 'sign_in_unknown'],
    ['is nowhere', '/nowhere', 404, 'There is no such page'],
  ])('an address that %s ends in a page', async (_, path, status, words) => {
    const response = await fetch(demo.urls.app_a + path, { redirect: 'manual' });
    const html = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      'text/html; charset=utf-8',
    ]);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain(words);
    expect(html).not.toMatch(/\bat .*\.(js|ts):\d/);
  });

  test('a form that comes from another site does nothing', async () => {
    const headers = { origin: demo.urls.server };
    const url = `${demo.urls.app_a}/logout`;
    const response = await fetch(url, { method: 'POST', headers, redirect: 'manual' });
    expect(response.status).toBe(403);
  });

  test('a logout token that is not the server’s ends nothing', async () => {
    const body = new URLSearchParams({ logout_token: 'rubbish' });
    const url = `${demo.urls.app_a}/backchannel-logout`;
    expect((await fetch(url, { method: 'POST', body })).status).toBe(400);
  });

  test('a sign-in that nobody finished is not another browser’s', async () => {
    const { state } = await beginSignIn();
    const query = new URLSearchParams({ code: 'c', state });
    expect((await fetch(`${demo.urls.app_a}/callback?${query}`, { redirect: 'manual' })).status).toBe(400);
  });

  test('an answer that is not the server’s is refused, and says so', async () => {
    const { cookie, state } = await beginSignIn();
    const query = new URLSearchParams({ code: 'c', state, iss: 'https://evil.example' });
    const answer = await fetch(`${demo.urls.app_a}/callback?${query}`, {
      headers: { cookie },
      redirect: 'manual',
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('answer_invalid')]);
  });

  test('the API, asked without a token, says which kind it wants', async () => {
    const response = await fetch(demo.urls.api);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});

async function beginSignIn(): Promise<{ readonly cookie: string; readonly state: string }> {
  const began = await fetch(`${demo.urls.app_a}/login`, { redirect: 'manual' });
  const [cookie = ''] = (began.headers.get('set-cookie') ?? '').split(';');
  return { cookie, state: new URL(began.headers.get('location') ?? '').searchParams.get('state') ?? '' };
}
