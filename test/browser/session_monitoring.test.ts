/** Session monitoring as a single-page application does it, in a real browser (decisions 20; OpenID Connect Session Management §3). */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { follow, newVisit, typeCredentials, type Visit } from '../support/chromium.js';
import { authorizeUrl } from '../support/flow.js';
import { inPage, startSameSite } from '../support/same_site.js';

/** An application on a host of its own, and somebody who has just signed in to it. */
async function started(host = 'spa.sp.localhost') {
  const { idp, origin } = await startSameSite();
  await idp.addUser();
  const redirect_uri = `${origin(host)}/cb`;
  await idp.addClient({ token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }, 'spa');
  const authorize = (changes: object = {}) => idp.issuer + authorizeUrl('spa', { redirect_uri, ...changes });
  const visit = await newVisit({ ignoreHTTPSErrors: true });
  const { page } = visit;
  await page.goto(authorize());
  await typeCredentials(page);
  await page.waitForURL(`${redirect_uri}?**`);
  const frame = `${idp.issuer}/check-session`;
  return { idp, origin, page, authorize, visit, frame, ...answerAt(page.url()) };
}

/** What the server said in the address that it sent the browser to. */
function answerAt(url: string) {
  const { searchParams } = new URL(url);
  return { error: searchParams.get('error'), session_state: searchParams.get('session_state') ?? '' };
}

async function ask(page: Page, frame: string, ...messages: readonly unknown[]): Promise<readonly string[]> {
  return inPage(page, 'askFrame', frame, messages);
}

/** A prompt=none request in a hidden frame. */
async function askSilently(page: Page, url: string) {
  return answerAt(await inPage(page, 'land', url));
}

async function signOut(visit: Visit, issuer: string): Promise<void> {
  const tab = await visit.newTab();
  await tab.goto(`${issuer}/logout`);
  await follow(tab, '#sign-out');
  await tab.close();
}

async function signInAgain(visit: Visit, issuer: string): Promise<void> {
  const tab = await visit.newTab();
  await tab.goto(`${issuer}/login`);
  await typeCredentials(tab);
  await tab.close();
}

describe('an application of the same site', () => {
  test('hears of a sign-out and of a sign-in in another tab (SMG-02, SMG-04)', async () => {
    const { idp, page, visit, authorize, frame, session_state } = await started();
    expect(await ask(page, frame, `spa ${session_state}`)).toEqual(['unchanged']);

    await signOut(visit, idp.issuer);
    expect(await ask(page, frame, `spa ${session_state}`)).toEqual(['changed']);
    const silent = await askSilently(page, authorize({ prompt: 'none' }));
    expect(silent.error).toBe('login_required');
    expect(await ask(page, frame, `spa ${silent.session_state}`)).toEqual(['unchanged']); // it may go on watching

    await signInAgain(visit, idp.issuer);
    expect(await ask(page, frame, `spa ${silent.session_state}`)).toEqual(['changed']);
    const again = await askSilently(page, authorize({ prompt: 'none' }));
    expect(again.error).toBeNull();
    expect(await ask(page, frame, `spa ${again.session_state}`)).toEqual(['unchanged']);
  });

  test('hears of both while its frame stays open, and nothing it asks goes over the network (SMG-02)', async () => {
    const { idp, page, visit, frame, session_state } = await started();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    const messages = Array(30).fill(`spa ${session_state}`);
    expect(new Set(await ask(page, frame, ...messages))).toEqual(new Set(['unchanged']));
    expect(requests).toEqual(['/check-session', '/assets/check_session.js']);

    await page.evaluate(`var answers = [];
      window.addEventListener('message', ({ data }) => answers.includes(data) || answers.push(data));
      setInterval(() => frames[0].postMessage('spa ${session_state}', '${idp.issuer}'), 50);`);
    await page.waitForFunction(`answers.join() === 'unchanged'`);
    await signOut(visit, idp.issuer);
    await page.waitForFunction(`answers.join() === 'unchanged,changed'`);
    expect(requests).toHaveLength(2);
  });

  test('is told error where its message is none, and changed where it is about something else (SMG-02)', async () => {
    const { page, frame, session_state } = await started();
    const [hash, salt] = session_state.split('.');
    const malformed = [
      ...['', 'spa', session_state, `spa ${hash}`, 'spa undefined', null, 7, { client_id: 'spa' }],
      ...[`spa  ${session_state}`, `spa ${session_state} `, `spa ${session_state}A`, `späh ${session_state}`],
    ];
    expect(await ask(page, frame, ...malformed)).toEqual(malformed.map(() => 'error'));
    const others = [
      `blog ${session_state}`,
      `spa ${'A'.repeat(43)}.${salt}`,
      `spa ${hash}.${'A'.repeat(22)}`,
    ];
    expect(await ask(page, frame, ...others)).toEqual(['changed', 'changed', 'changed']);
  });

  test('is told changed after its person has deleted all cookies', async () => {
    const { page, visit, frame, session_state } = await started();
    await visit.clearCookies();
    expect(await ask(page, frame, `spa ${session_state}`)).toEqual(['changed']);
  });

  test('may ask from a frame beside it, as in the specification’s example (SM §3.1)', async () => {
    const { page, frame, session_state } = await started();
    const answer = await inPage(page, 'askFromBeside', frame, `spa ${session_state}`, {});
    expect(answer).toBe('unchanged');
  });
});

describe('a stranger (hardening row 24)', () => {
  test('on another origin of the same site never hears unchanged, with whatever it copied', async () => {
    const { origin, page, frame, session_state } = await started();
    await page.goto(origin('evil.sp.localhost'));
    expect(await ask(page, frame, `spa ${session_state}`)).toEqual(['changed']);
  });

  test('that opens the page in a window, where cookies are not withheld, gets no answer', async () => {
    const { origin, page, frame, session_state } = await started();
    await page.goto(origin('other.localhost'));
    expect(await inPage(page, 'askWindow', frame, `spa ${session_state}`)).toBe('no answer');
  });

  test('without an origin, in a sandbox, gets no answer', async () => {
    const { page, frame, session_state } = await started();
    const sandboxed = { sandbox: 'allow-scripts' };
    const answer = await inPage(page, 'askFromBeside', frame, `spa ${session_state}`, sandboxed, 1000);
    expect(answer).toBe('no answer');
  });
});

test('an application of another site, from whose frames the browser withholds cookies, hears error and gets login_required: it never asks in a loop (decisions 20)', async () => {
  const { page, authorize, frame, session_state } = await started('spa.other.localhost');
  expect(await ask(page, frame, `spa ${session_state}`)).toEqual(['error']);
  const silent = await askSilently(page, authorize({ prompt: 'none' }));
  expect(silent.error).toBe('login_required');
  expect(await ask(page, frame, `spa ${silent.session_state}`)).toEqual(['error']);
  await page.goto(authorize({ prompt: 'none' })); // on top of the window the person is signed in
  expect(answerAt(page.url()).error).toBeNull();
});
