import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { revokeSession } from '../../src/actions/sessions.js';
import * as sessions from '../../src/store/sessions.js';
import { answerOf, ask, countRows, signedInBrowser } from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { signIn } from '../support/flow.js';
import { redirect_uri, startIdp } from '../support/idp.js';

const https = { settings: { ISSUER: 'https://id.example/sso' } };
const stateCookie = '__Host-sallyport_browser_state';

/** The server on https, Ada, and a shop. The browser's addresses have no path: it follows those it is given. */
async function started() {
  const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
  const ada = await idp.addUser();
  await idp.addClient({}, 'shop');
  return { idp, ada };
}

/** Whether the frame would answer `unchanged` (SMG-02). */
function isUnchanged(browser: Browser, session_state: string | undefined, origin = 'https://shop.example') {
  const [hash, salt] = session_state?.split('.') ?? [];
  const state = browser.cookies.get(stateCookie);
  const text = `shop ${origin} ${state} ${salt}`;
  return state !== undefined && hash === createHash('sha256').update(text).digest('base64url');
}

async function sessionStateOf(browser: Browser, changes: Parameters<typeof ask>[2] = {}) {
  return answerOf(await ask(browser, 'shop', changes)).session_state;
}

describe('the frame', () => {
  test('is a page that any site may frame, with one script of ours and nothing else (SMG-03)', async () => {
    const idp = await startIdp(https);
    const page = await idp.browser().get('/sso/check-session');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors *",
    );
    expect(page.headers.get('x-frame-options')).toBeNull();
    expect(page.html.match(/<script[^>]*>/g)).toEqual([
      expect.stringMatching(/^<script src="\/sso\/assets\/check_session\.js\?v=[\w-]+">$/),
    ]);
  });

  test('sets no cookie, needs none and leaves nothing behind', async () => {
    const idp = await startIdp(https);
    const before = await countRows(idp);
    const page = await idp.browser().get('/sso/check-session');
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(await countRows(idp)).toEqual(before);
  });

  test('no other page may be framed', async () => {
    const { idp } = await started();
    for (const path of ['/login', '/logout', '/signed-out', '/', '/nothing/here'])
      expect((await idp.browser().get(path)).headers.get('x-frame-options'), path).toBe('DENY');
  });

  test('is not there on http, where its cookie could not be', async () => {
    const idp = await startIdp();
    expect((await idp.fetch('/check-session')).status).toBe(404);
  });
});

describe('session_state', () => {
  test.each(['query', 'form_post'])('is in an answer with a code, by %s (SMG-01)', async (response_mode) => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    const session_state = await sessionStateOf(browser, { response_mode });
    expect(session_state).toMatch(/^[\w-]{43}\.[\w-]{22}$/);
    expect(isUnchanged(browser, session_state)).toBe(true);
    expect(isUnchanged(browser, session_state, 'https://attacker.example')).toBe(false);
  });

  test('has another salt each time, and all of them hold', async () => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    const both = [await sessionStateOf(browser), await sessionStateOf(browser, { prompt: 'none' })];
    expect(new Set(both).size).toBe(2);
    for (const session_state of both) expect(isUnchanged(browser, session_state)).toBe(true);
  });

  test('tells neither the session, nor its cookie, nor what the database holds of that', async () => {
    const { idp, ada } = await started();
    const browser = await signedInBrowser(idp);
    const state = browser.cookies.get(stateCookie) ?? '';
    const [row] = await sessions.listByUser(idp.db, ada.id, idp.now());
    const secrets = [row?.id, row?.token_hash, browser.cookies.get('__Host-sallyport_session')];
    for (const secret of secrets) expect(state).not.toContain(secret);
    browser.cookies.set('__Host-sallyport_session', state);
    expect((await browser.get('/')).html).not.toContain('You are signed in');
  });

  test('is changed by a sign-out (SMG-04)', async () => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    const session_state = await sessionStateOf(browser);
    await browser.submit(await browser.get('/logout'), { action: 'sign_out' });
    expect(isUnchanged(browser, session_state)).toBe(false);
    expect(browser.cookies.has(stateCookie)).toBe(false);
  });

  test('is changed by a new sign-in, of the same person too', async () => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    const session_state = await sessionStateOf(browser);
    await signIn(browser, await browser.get('/login'));
    expect(isUnchanged(browser, session_state)).toBe(false);
    expect(isUnchanged(browser, await sessionStateOf(browser, { prompt: 'none' }))).toBe(true);
  });

  test('is in a refusal of prompt=none, and changed when somebody signs in', async () => {
    const { idp } = await started();
    const browser = idp.browser();
    const refused = answerOf(await ask(browser, 'shop', { prompt: 'none' }));
    expect(refused.error).toBe('login_required');
    expect(isUnchanged(browser, refused.session_state)).toBe(true);
    expect(isUnchanged(browser, await sessionStateOf(browser, { prompt: 'none' }))).toBe(true);
    await signIn(browser, await browser.get('/login'));
    expect(isUnchanged(browser, refused.session_state)).toBe(false);
  });

  test('of a browser in which nobody is signed in is no constant that a site could try', async () => {
    const { idp } = await started();
    const browsers = [idp.browser(), idp.browser()];
    for (const browser of browsers) await ask(browser, 'shop', { prompt: 'none' });
    expect(new Set(browsers.map((browser) => browser.cookies.get(stateCookie))).size).toBe(2);
  });

  test('of a session that was ended from elsewhere is changed as soon as the browser comes by', async () => {
    const { idp, ada } = await started();
    const browser = await signedInBrowser(idp);
    const session_state = await sessionStateOf(browser);
    const [row] = await sessions.listByUser(idp.db, ada.id, idp.now());
    await revokeSession(idp.deps, row?.id ?? '', idp.now());
    await ask(browser, 'shop', { prompt: 'none' });
    expect(isUnchanged(browser, session_state)).toBe(false);
  });

  test.each([
    ['lost', undefined],
    ['somebody else’s', 'A'.repeat(43)],
    ['nothing of ours', '<b>'],
  ])('with a state cookie that is %s is right again with the next answer', async (_, value) => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    if (value === undefined) browser.cookies.delete(stateCookie);
    else browser.cookies.set(stateCookie, value);
    expect(isUnchanged(browser, await sessionStateOf(browser))).toBe(true);
  });

  test('is left out where it would be of no use: in other errors, for a native application, on http', async () => {
    const { idp } = await started();
    const browser = await signedInBrowser(idp);
    expect(await sessionStateOf(browser, { response_type: 'token' })).toBeUndefined();

    const app = 'com.example.app:/cb';
    await idp.addClient({ application_type: 'native', redirect_uris: [app] }, 'tool');
    const native = await ask(browser, 'tool', { redirect_uri: app, prompt: 'none' });
    expect(native.headers.get('location')).toContain('code=');
    expect(native.headers.get('location')).not.toContain('session_state');

    const loopback = await startIdp();
    await loopback.addUser();
    await loopback.addClient({ redirect_uris: [redirect_uri] }, 'shop');
    const plain = await signedInBrowser(loopback);
    expect(await sessionStateOf(plain)).toBeUndefined();
    expect([...plain.cookies.keys()].filter((name) => name.includes('state'))).toEqual([]);
  });
});
