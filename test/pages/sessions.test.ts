import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { digest } from '../../src/secrets.js';
import * as sessions from '../../src/store/sessions.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { engines } from '../support/database.js';
import { authorizeUrl, getTokens, refresh, responseOf, signIn } from '../support/flow.js';
import { formBody, password, startIdp, type TestIdp } from '../support/idp.js';

const day = 86_400;

/** A browser in which somebody is signed in. */
async function signedIn(idp: TestIdp, email = 'ada@example.com'): Promise<Browser> {
  const browser = idp.browser();
  await signIn(browser, await browser.get('/login'), { email });
  return browser;
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  const { html } = await browser.get('/');
  return html.includes('You are signed in');
}

/** The answer to the login form itself, before its redirect. */
function sendLogin(browser: Browser, login: Page): Promise<Page> {
  const { action, hidden } = formOf(login.html);
  const body = formBody({ ...hidden, email: 'ada@example.com', password, action: 'sign_in' });
  return browser.request(action, { method: 'POST', body });
}

/** The attributes of each cookie that an answer sets, by name. */
function cookiesOf(page: Page): Record<string, string[]> {
  const lines = page.headers.getSetCookie().map((line) => line.split('; '));
  return Object.fromEntries(lines.map(([pair = '', ...rest]) => [pair.split('=')[0], rest.sort()]));
}

describe('the cookies', () => {
  test('on a loopback http issuer: HttpOnly and Lax, without a prefix (decisions 16)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = idp.browser();
    const login = await browser.get('/login');
    expect(cookiesOf(login)).toEqual({ sallyport_browser: ['HttpOnly', 'Path=/', 'SameSite=Lax'] });
    const page = await sendLogin(browser, login);
    expect(cookiesOf(page)).toEqual({
      sallyport_session: ['HttpOnly', `Max-Age=${30 * day}`, 'Path=/', 'SameSite=Lax'],
      sallyport_device: ['HttpOnly', `Max-Age=${400 * day}`, 'Path=/', 'SameSite=Lax'],
    });
  });

  test('on an https issuer: __Host-, Secure, sent across sites (HTTP-19), HttpOnly but for the state that a frame reads', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
    await idp.addUser();
    const browser = idp.browser();
    const login = await browser.get('/login');
    expect(cookiesOf(login)).toEqual({
      '__Host-sallyport_browser': ['HttpOnly', 'Path=/', 'SameSite=None', 'Secure'],
    });
    const page = await sendLogin(browser, login);
    expect(cookiesOf(page)).toEqual({
      '__Host-sallyport_session': ['HttpOnly', `Max-Age=${30 * day}`, 'Path=/', 'SameSite=None', 'Secure'],
      '__Host-sallyport_device': ['HttpOnly', `Max-Age=${400 * day}`, 'Path=/', 'SameSite=None', 'Secure'],
      '__Host-sallyport_browser_state': [`Max-Age=${30 * day}`, 'Path=/', 'SameSite=None', 'Secure'],
    });
  });

  test('an issuer with a path still sets cookies for the whole host, as __Host- demands (RFC 6265bis §4.1.3.2)', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example/sso' } });
    const page = await idp.browser().get('/sso/login');
    expect(cookiesOf(page)['__Host-sallyport_browser']).toContain('Path=/');
  });

  test('the database holds the SHA-256 of the session cookie, never the cookie', async () => {
    const idp = await startIdp();
    const { id } = await idp.addUser();
    const browser = await signedIn(idp);
    const cookie = browser.cookies.get('sallyport_session') ?? '';
    expect(Buffer.from(cookie, 'base64url')).toHaveLength(32);
    const rows = await sessions.listByUser(idp.db, id, idp.now());
    expect(rows.map((row) => row.token_hash)).toEqual([digest(cookie)]);
    expect(JSON.stringify(rows)).not.toContain(cookie);
  });

  test.each([
    ['empty', ''],
    ['too short', 'abc'],
    ['of the right length, but made up', 'A'.repeat(43)],
    ['with characters that we never send', `"${'A'.repeat(43)}"`],
    ['with percent signs', '%00%ff'],
    ['as long as a header can be', 'A'.repeat(8000)],
  ])('a session cookie that is %s means signed out, nothing else (HTTP-19)', async (_, value) => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = await signedIn(idp);
    browser.cookies.set('sallyport_session', value);
    const page = await browser.get('/');
    expect([page.status, page.html.includes('You are signed in')]).toEqual([200, false]);
  });

  test('somebody puts a second session cookie beside the right one, as a subdomain can: both count as none', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = await signedIn(idp);
    const other = await signedIn(idp);
    browser.cookies.set('x', `1; sallyport_session=${other.cookies.get('sallyport_session')}`);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe.each(engines)('sessions on %s', (engine) => {
  test('somebody plants a session of theirs before the sign-in, and gains nothing (hardening 9, INT-13)', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    await idp.addUser({ email: 'mallory@example.com' });
    const mallory = await signedIn(idp, 'mallory@example.com');
    const planted = mallory.cookies.get('sallyport_session') ?? '';

    const victim = idp.browser();
    victim.cookies.set('sallyport_session', planted);
    await signIn(victim, await victim.get('/login'));
    expect(victim.cookies.get('sallyport_session')).not.toBe(planted);
    expect((await victim.get('/')).html).toContain('ada@example.com');
    expect((await mallory.get('/')).html).not.toContain('ada@example.com');
    expect(await isSignedIn(mallory)).toBe(false); // the victim's sign-in ended it
  });

  test('the same user again: a new cookie and auth_time, the same sid, and the old cookie is dead (INT-13, decisions 16)', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    const shop = await idp.addClient();
    const browser = idp.browser();
    const first = await getTokens(idp, shop, {}, browser);
    const thief = idp.browser();
    thief.cookies.set('sallyport_session', browser.cookies.get('sallyport_session') ?? '');

    idp.advance(100);
    const second = await getTokens(idp, shop, { prompt: 'login' }, browser);
    const [before, after] = [decodeJwt(first.id_token), decodeJwt(second.id_token)];
    expect(after).toMatchObject({ sid: before.sid, auth_time: Number(before.auth_time) + 100 });
    expect(await isSignedIn(thief)).toBe(false);
    expect((await idp.userinfo(first.access_token)).status).toBe(200); // what was given before goes on
  });

  test('another user ends the old session with all it gave, like a sign-out (decisions 16)', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    await idp.addUser({ email: 'grace@example.com' });
    const shop = await idp.addClient();
    const browser = idp.browser();
    const first = await getTokens(idp, shop, {}, browser);

    const page = await browser.get(authorizeUrl(shop.client.client_id, { prompt: 'login' }));
    responseOf(await signIn(browser, page, { email: 'grace@example.com' }));
    expect((await idp.userinfo(first.access_token)).status).toBe(401);
    expect((await refresh(idp, shop, first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await browser.get('/')).html).toContain('grace@example.com');
  });

  test('a session lives while it is used, up to its absolute limit', async () => {
    const settings = { SESSION_IDLE_SECONDS: '3600', SESSION_MAX_SECONDS: '10000' };
    const idp = await startIdp({ engine, settings });
    await idp.addUser();
    const browser = await signedIn(idp);

    for (let used = 0; used < 3; used += 1) {
      idp.advance(3000);
      expect(await isSignedIn(browser)).toBe(true);
    }
    idp.advance(999);
    expect(await isSignedIn(browser)).toBe(true);
    idp.advance(1); // 10,000 seconds after the sign-in
    expect(await isSignedIn(browser)).toBe(false);
  });

  test.each([
    [3599, true],
    [3600, false],
  ])('%i seconds without being used: alive is %s', async (seconds, alive) => {
    const idp = await startIdp({ engine, settings: { SESSION_IDLE_SECONDS: '3600' } });
    await idp.addUser();
    const browser = await signedIn(idp);
    idp.advance(seconds);
    expect(await isSignedIn(browser)).toBe(alive);
  });

  test('sessions survive a restart', async () => {
    const idp = await startIdp({ engine });
    await idp.addUser();
    const browser = await signedIn(idp);
    await idp.restart();
    expect(await isSignedIn(browser)).toBe(true);
  });
});
