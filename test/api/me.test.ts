import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { routes } from '../../src/app.js';
import { getMe, meOf, origin, ownClient, paths, startSite } from '../support/first_party.js';
import { getTokens } from '../support/flow.js';
import { rawRequest } from '../support/raw_http.js';
import { startShop } from '../support/shop.js';

describe('GET /users/me', () => {
  test('says what userinfo says, by the header and by the cookie', async () => {
    const { idp, user, signIn, signedIn } = await startSite({ metadata: { scope: 'openid profile email' } });
    const expected = {
      sub: user.id,
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      email_verified: true,
      updated_at: expect.any(Number),
    };
    const { access_token } = await signIn();
    const byHeader = await meOf(idp, access_token);
    const byCookie = await getMe(await signedIn(), { origin });
    expect([byHeader.status, byHeader.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect([byHeader.body, byCookie.body]).toEqual([expected, expected]);
    expect((await idp.userinfo(access_token)).body).toEqual(expected);
  });

  test('by a cookie, from the site itself, which sends no Origin with GET', async () => {
    const { signedIn } = await startSite();
    const browser = await signedIn();
    for (const site of ['same-origin', 'none', undefined])
      expect((await getMe(browser, { 'sec-fetch-site': site })).status).toBe(200);
  });

  test('with both, the header counts', async () => {
    const { idp, signIn, signedIn } = await startSite();
    await idp.addUser({ email: 'grace@example.com' });
    const browser = await signedIn(idp.browser(), { email: 'grace@example.com' });
    const { access_token } = await signIn();
    const { body } = await getMe(browser, { authorization: `Bearer ${access_token}` });
    expect(body.email).toBe('ada@example.com');
    expect((await getMe(browser, { authorization: 'Bearer x' })).status).toBe(401);
  });

  test('without a token: 401 and a bare challenge (RFC 6750 §3.1)', async () => {
    const { idp } = await startSite();
    const { status, headers, body } = await getMe(idp.browser());
    expect([status, headers.get('www-authenticate'), body]).toEqual([401, 'Bearer realm="sallyport"', '']);
  });

  test.each(['rubbish', 'a.b.c', ''])('a cookie of %j is nobody (hardening 30)', async (value) => {
    const { idp } = await startSite();
    const browser = idp.browser();
    browser.cookies.set('sallyport_access', value);
    expect((await getMe(browser, { origin })).status).toBe(401);
  });

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['a hidden origin', { origin: 'null' }],
    ['a cross-site page', { 'sec-fetch-site': 'cross-site' }],
    ['a cross-site page with a right Origin', { origin, 'sec-fetch-site': 'cross-site' }],
  ])('by a cookie, to %s: refused', async (_, headers) => {
    const { signedIn } = await startSite();
    const answer = await getMe(await signedIn(), headers);
    expect([answer.status, answer.body.error]).toEqual([403, 'access_denied']);
    expect(answer.headers.has('www-authenticate')).toBe(false);
  });

  test('lacking the scope openid: 403 insufficient_scope', async () => {
    const { idp, signIn } = await startSite();
    const { access_token } = await signIn({ scope: 'email' });
    const { status, headers } = await meOf(idp, access_token);
    expect([status, headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('insufficient')]);
  });

  test('is for clients of this API alone, also when one ceases to be', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    expect((await meOf(shop.idp, access_token)).body.error).toBe('unauthorized_client');

    const code = { grant_types: ['authorization_code', 'refresh_token'] };
    const { idp, client, signIn } = await startSite({
      metadata: { ...code, redirect_uris: ['https://shop.example/cb'] },
    });
    const tokens = await getTokens(idp, { client, client_secret: null }, {});
    expect((await meOf(idp, tokens.access_token)).status).toBe(200);
    const own = await signIn();
    await updateClient(idp.deps, 'site', { first_party: false }, idp.now());
    expect((await meOf(idp, own.access_token)).body.error).toBe('unauthorized_client');
  });
});

describe('CORS is for the origins of this API’s clients, exactly, with credentials (decisions 19, 29)', () => {
  const all = [...paths.map((path) => [path, 'POST'] as const), ['/users/me', 'GET'] as const];

  test.each(all)('%s', async (path, method) => {
    const { idp } = await startSite();
    const headers = { origin, 'access-control-request-method': method };
    const asked = await rawRequest(idp.url, { method: 'OPTIONS', path, headers });
    expect([asked.status, asked.headers.vary]).toEqual([204, 'Origin']);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': method,
      'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
    });
    const refused = await rawRequest(idp.url, { method, path, headers: { origin } });
    expect(refused.headers).toMatchObject({ 'access-control-allow-origin': origin });
  });

  test.each([
    ['of nobody', 'https://evil.example', {}],
    ['like one of them', `${origin}.evil.example`, {}],
    ['of a redirect URI', 'https://app.example', { redirect_uris: ['https://app.example/cb'] }],
    ['of a client that is not first-party', 'https://x.example', { first_party: false }],
    ['of a confidential client', 'https://x.example', { token_endpoint_auth_method: 'client_secret_post' }],
  ])('an origin %s gets none', async (_, from, metadata) => {
    const { idp } = await startSite();
    const code = { grant_types: ['authorization_code'], redirect_uris: ['https://app.example/cb'] };
    await idp.addClient({ ...ownClient, ...code, allowed_origins: ['https://x.example'], ...metadata });
    const headers = { origin: from, 'access-control-request-method': 'POST' };
    for (const [path] of all) {
      const asked = await rawRequest(idp.url, { method: 'OPTIONS', path, headers });
      expect(asked.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  test('every route under /users/ is of this API and has its preflight', async () => {
    const { idp } = await startSite();
    const users = routes(idp.deps).filter(({ path }) => path.startsWith('/users/'));
    const named = users.map(({ path, methods }) => `${methods} ${path}`);
    expect(named.toSorted()).toEqual(
      all.flatMap(([path, method]) => [`${method} ${path}`, `OPTIONS ${path}`]).toSorted(),
    );
  });
});
