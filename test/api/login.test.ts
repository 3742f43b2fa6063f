import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { statement } from '../../src/store/statement.js';
import { countRows } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { cookiesOf, getMe, meOf, origin, postJson, startSite } from '../support/first_party.js';
import { countingGate } from '../support/idp.js';
import { atOnce, eventsOf, familiesOf } from '../support/shop.js';

const login = '/users/login';

describe.each(engines)('a sign-in by the application itself, on %s', (engine) => {
  test('from a mobile app: the tokens are in the body, and are those of any sign-in', async () => {
    const { idp, user, app, credentials } = await startSite({ engine });
    const { status, headers, body } = await app(login, { ...credentials, scope: 'openid email' });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(Object.keys(body).toSorted()).toEqual(
      ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'].toSorted(),
    );
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid email' });
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    const claims = { iss: idp.issuer, sub: user.id, auth_time: idp.now(), amr: ['pwd'] };
    expect(decodeJwt(body.access_token)).toMatchObject({ ...claims, client_id: 'site', aud: idp.issuer });
    expect(decodeJwt(body.id_token)).toMatchObject({ ...claims, aud: 'site', email: 'ada@example.com' });
    expect((await meOf(idp, body.access_token)).body).toEqual({
      sub: user.id,
      email: 'ada@example.com',
      email_verified: true,
    });
    expect(await familiesOf(idp)).toMatchObject([{ client_id: 'site', scope: 'openid email', resource: '' }]);
    expect(await eventsOf(idp, 'signed_in')).toMatchObject([{ user_id: user.id }]);
  });

  test('from a page: the tokens are in cookies that no script can read, and not in the body', async () => {
    const { idp, user, page, credentials } = await startSite({ engine });
    const browser = idp.browser();
    const answer = await page(browser, login, { ...credentials, scope: 'openid', mode: 'cookie' });
    expect([answer.status, answer.body]).toEqual([200, { expires_in: 600, scope: 'openid' }]);
    const { sallyport_access, sallyport_refresh } = cookiesOf(answer);
    expect(decodeJwt(sallyport_access?.value ?? '')).toMatchObject({ sub: user.id, client_id: 'site' });
    expect(sallyport_access?.attributes).toBe('Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax');
    expect(sallyport_refresh?.value).toMatch(/^[\w-]{22}\.1\.[\w-]{43}\.[\w-]{43}$/);
    expect(sallyport_refresh?.attributes).toBe(
      'Path=/users/refresh-token; Max-Age=2592000; HttpOnly; SameSite=Lax',
    );
    expect((await getMe(browser, { origin })).body).toEqual({ sub: user.id });
  });

  test('of eight right passwords at the same moment each gets a session of its own', async () => {
    const { idp, signIn } = await startSite({ engine });
    const answers = await atOnce(8, () => signIn());
    expect(new Set(answers.map(({ access_token }) => decodeJwt(access_token).sid)).size).toBe(8);
    for (const { access_token } of answers) expect((await meOf(idp, access_token)).status).toBe(200);
  });
});

describe('on https, under a path', () => {
  const settings = { ISSUER: 'https://id.example.com/auth' };

  test('the cookies have their prefixes and are Secure (decisions 29)', async () => {
    const { idp, credentials } = await startSite({ settings });
    const answer = await postJson(idp.browser(), `/auth${login}`, credentials, { origin });
    const cookies = cookiesOf(answer);
    expect(cookies['__Host-sallyport_access']?.attributes).toBe(
      'Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax',
    );
    expect(cookies['__Secure-sallyport_refresh']?.attributes).toBe(
      'Path=/auth/users/refresh-token; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax',
    );
  });
});

describe('the session of such a sign-in', () => {
  const rows = statement<Record<never, never>, { token_hash: string }>((sql) => sql('sessions'));

  test('is reached by no cookie of this server: the pages do not know it', async () => {
    const { idp, signedIn } = await startSite();
    const browser = await signedIn();
    expect([...browser.cookies.keys()].toSorted()).toEqual([
      'sallyport_access',
      'sallyport_device',
      'sallyport_refresh',
    ]);
    expect((await browser.get('/')).html).not.toContain('ada@example.com');
    const [row] = await idp.db.all(rows, {});
    expect(row?.token_hash).toMatch(/^[\w-]{43}$/);
  });

  test('a second sign-in in the same browser ends the first, as on the pages', async () => {
    const { idp, signedIn } = await startSite();
    await idp.addUser({ email: 'grace@example.com' });
    const browser = await signedIn();
    const first = browser.cookies.get('sallyport_access') ?? '';
    await signedIn(browser, { email: 'grace@example.com' });
    expect((await meOf(idp, first)).status).toBe(401);
    expect((await getMe(browser, { origin })).body.email).toBe('grace@example.com');
    expect(await eventsOf(idp, 'signed_out')).toHaveLength(1);
  });

  test('a wrong password in the same browser ends nothing', async () => {
    const { page, signedIn, credentials } = await startSite();
    const browser = await signedIn();
    expect((await page(browser, login, { ...credentials, password: 'wrong' })).status).toBe(400);
    expect((await getMe(browser, { origin })).status).toBe(200);
  });
});

describe('how the tokens travel', () => {
  test.each([
    ['no mode, no Origin', undefined, undefined, 'bearer'],
    ['no mode, a page', undefined, origin, 'cookie'],
    ['bearer, no Origin', 'bearer', undefined, 'bearer'],
    ['bearer, a page', 'bearer', origin, 'bearer'],
    ['cookie, a page', 'cookie', origin, 'cookie'],
  ])('%s', async (_, mode, from, expected) => {
    const { app, credentials } = await startSite();
    const answer = await app(login, { ...credentials, mode }, { origin: from });
    expect(answer.status).toBe(200);
    expect('access_token' in answer.body).toBe(expected === 'bearer');
    expect('sallyport_access' in cookiesOf(answer)).toBe(expected === 'cookie');
  });

  test.each(['same-origin', 'same-site', 'none', undefined])('cookies, Sec-Fetch-Site %s', async (site) => {
    const { app, credentials } = await startSite();
    const { status } = await app(login, credentials, { origin, 'sec-fetch-site': site });
    expect(status).toBe(200);
  });

  test('a page of another site that is registered gets its tokens in the body alone', async () => {
    const { app, credentials } = await startSite();
    const from = { origin, 'sec-fetch-site': 'cross-site' };
    expect((await app(login, { ...credentials, mode: 'bearer' }, from)).status).toBe(200);
    expect((await app(login, { ...credentials, mode: 'cookie' }, from)).body.error).toBe('access_denied');
  });
});

describe('what is asked for', () => {
  test('without a scope it is all that the client is registered for, but offline_access', async () => {
    const { signIn } = await startSite({ metadata: { scope: 'openid email offline_access' } });
    expect((await signIn()).scope).toBe('openid email');
  });

  test('a client without the refresh_token grant gets no refresh token', async () => {
    const code = { grant_types: ['authorization_code'], redirect_uris: ['https://www.example.com/cb'] };
    const { idp, signIn, signedIn } = await startSite({ metadata: code });
    expect(await signIn()).not.toHaveProperty('refresh_token');
    expect((await signedIn()).cookies.has('sallyport_refresh')).toBe(false);
    expect(await familiesOf(idp)).toEqual([]);
  });

  test.each([
    [{ scope: 'openid nuclear:launch' }, 'invalid_scope'],
    [{ scope: 'openid offline_access' }, 'invalid_scope'],
    [{ scope: 'openid "' }, 'invalid_scope'],
    [{ resource: 'https://unknown.example' }, 'invalid_target'],
    [{ resource: ['https://api.example.com', 'https://unknown.example'] }, 'invalid_target'],
    [{ mode: 'header' }, 'invalid_request'],
    [{ email: undefined }, 'invalid_request'],
    [{ password: '' }, 'invalid_request'],
    [{ client_id: undefined }, 'invalid_request'],
    [{ client_id: ['site', 'site'] }, 'invalid_request'],
    [{ password: ['a', 'b'] }, 'invalid_request'],
    [{ email: 'a'.repeat(2049) }, 'invalid_request'],
    [{ email: 'ada\0@example.com' }, 'invalid_request'],
    [{ email: 'ada\ud800@example.com' }, 'invalid_request'],
    [{ email: 7 }, 'invalid_request'],
    [{ email: null }, 'invalid_request'],
    [{ email: { $ne: '' } }, 'invalid_request'],
    [{ password: [['x']] }, 'invalid_request'],
    [{ extra: true }, 'invalid_request'],
  ])('%j is %s, before the password is looked at', async (changes, error) => {
    const hashing = countingGate();
    const { idp, app, credentials } = await startSite({ substitutes: { hashing } });
    await idp.addResource('https://api.example.com', 'read');
    const answer = await app(login, { ...credentials, ...changes });
    expect([answer.status, answer.body.error]).toEqual([400, error]);
    expect(hashing.entered).toBe(0);
  });

  test('a token for an API is for the API; in a cookie it must be for this server, too (decisions 26)', async () => {
    const api = 'https://api.example.com';
    const { idp, signIn, page, credentials } = await startSite({ metadata: { scope: 'openid read' } });
    await idp.addResource(api, 'read');
    const body = await signIn({ resource: api });
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: api, scope: 'read' });
    expect((await meOf(idp, body.access_token)).status).toBe(401);

    const browser = idp.browser();
    const alone = await page(browser, login, { ...credentials, resource: api });
    expect([alone.status, alone.body.error]).toEqual([400, 'invalid_target']);
    const both = await page(browser, login, { ...credentials, resource: [idp.issuer, api] });
    expect([both.status, both.body.scope]).toEqual([200, 'openid read']);
    expect((await getMe(browser, { origin })).status).toBe(200);
  });

  test('a token that is too long for a cookie is refused, and no session stays', async () => {
    const roles = Array.from({ length: 150 }, (_, index) => `a-role-with-a-long-name-${index}`);
    const { idp, page, credentials } = await startSite({
      metadata: { scope: 'openid roles' },
      user: { roles },
    });
    const { status, headers, body } = await page(idp.browser(), login, credentials);
    expect([status, body.error, headers.getSetCookie()]).toEqual([400, 'invalid_scope', []]);
    expect((await countRows(idp)).sessions).toBe(0);
  });
});
