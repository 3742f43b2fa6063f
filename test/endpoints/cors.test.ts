import { describe, expect, test } from 'vitest';
import { routes } from '../../src/app.js';
import { basic, formBody, startIdp, type TestIdp } from '../support/idp.js';
import { type RawAnswer, rawRequest } from '../support/raw_http.js';
import { publicClient, startShop } from '../support/shop.js';

const spa = 'https://spa.example';
const form = 'application/x-www-form-urlencoded';

describe('public documents are for scripts of any origin, never with credentials (decisions 19, HTTP-15)', () => {
  const paths = ['/jwks', '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

  test.each(paths)('%s', async (path) => {
    const idp = await startIdp();
    for (const origin of [undefined, 'https://anybody.example', 'null']) {
      const headers = origin === undefined ? {} : { origin };
      const got = await rawRequest(idp.url, { path, headers });
      expect([got.status, corsOf(got)]).toEqual([200, { 'access-control-allow-origin': '*' }]);
      const asked = await preflight(idp, path, { ...headers, 'access-control-request-method': 'GET' });
      expect([asked.status, asked.body]).toEqual([204, '']);
      expect(corsOf(asked)).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD',
        'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
        'access-control-max-age': '86400',
      });
    }
  });

  test('an answer that nothing changed says so, too', async () => {
    const idp = await startIdp();
    const headers = { origin: spa, 'if-none-match': '*' };
    const got = await rawRequest(idp.url, { path: '/jwks', headers });
    expect([got.status, corsOf(got)]).toEqual([304, { 'access-control-allow-origin': '*' }]);
  });
});

describe('the token endpoint is for registered origins, with credentials (protocol.md §30.6)', () => {
  test.each([
    ['an allowed origin', { allowed_origins: [spa] }],
    ['the origin of a redirect URI', { redirect_uris: [`${spa}/cb?x=1`] }],
  ])('a preflight from %s is granted, also with Authorization and DPoP (HTTP-15)', async (_, metadata) => {
    const idp = await startIdp();
    await idp.addClient({ ...publicClient, ...metadata });
    const asked = await preflight(idp, '/token', {
      origin: spa,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,dpop',
    });
    expect([asked.status, asked.body, asked.headers.vary]).toEqual([204, '', 'Origin']);
    expect(corsOf(asked)).toEqual({
      'access-control-allow-origin': spa,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
      'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
      'access-control-max-age': '600',
    });
  });

  test.each([
    'https://evil.example',
    'https://spa.example.evil.example',
    'https://xspa.example',
    'http://spa.example',
    'https://spa.example:8443',
    'https://SPA.example',
    'https://spa.example/',
    'null',
    '*',
    'https://shop.example, https://evil.example',
  ])('somebody asks from %s: no origin is allowed', async (origin) => {
    const idp = await startIdp();
    await idp.addClient({ allowed_origins: [spa] });
    for (const path of ['/token', '/userinfo']) {
      const asked = await preflight(idp, path, { origin, 'access-control-request-method': 'POST' });
      expect(asked.headers).not.toHaveProperty('access-control-allow-origin');
      expect(asked.headers).not.toHaveProperty('access-control-allow-credentials');
      const sent = { method: 'POST', path, headers: { origin, 'content-type': form }, body: 'x=y' };
      const refused = await rawRequest(idp.url, sent);
      expect([refused.status, corsOf(refused)]).toEqual([401, {}]);
    }
  });

  test('success and errors alike can be read by the script, and Vary keeps caches right (HTTP-15)', async () => {
    const shop = await startShop({ metadata: { ...publicClient, allowed_origins: [spa] } });
    const { refresh_token } = await shop.tokens();
    for (const [token, status] of [
      [refresh_token, 200],
      ['x', 400],
    ] as const) {
      const answer = await rawRequest(shop.idp.url, {
        ...{ method: 'POST', path: '/token', headers: { origin: spa, 'content-type': form } },
        body: String(formBody({ grant_type: 'refresh_token', client_id: 'shop', refresh_token: token })),
      });
      expect([answer.status, answer.headers.vary]).toEqual([status, 'Origin']);
      expect(corsOf(answer)).toMatchObject({
        'access-control-allow-origin': spa,
        'access-control-allow-credentials': 'true',
      });
    }
  });

  test('a caller without an origin, a server, gets no such header', async () => {
    const shop = await startShop();
    const { headers } = await shop.idp.token({}, basic('shop', shop.shop.client_secret));
    expect([...headers.keys()].filter((name) => /^access-control|^vary/.test(name))).toEqual([]);
  });

  test('the origin of a client that was added just now is known at once', async () => {
    const idp = await startIdp();
    const ask = () => preflight(idp, '/token', { origin: spa, 'access-control-request-method': 'POST' });
    expect(corsOf(await ask())).not.toHaveProperty('access-control-allow-origin');
    await idp.addClient({ allowed_origins: [spa] });
    expect(corsOf(await ask())).toMatchObject({ 'access-control-allow-origin': spa });
  });
});

test('userinfo is for registered origins, without credentials: a token is enough (HTTP-15)', async () => {
  const shop = await startShop({ metadata: { allowed_origins: [spa] } });
  const { access_token } = await shop.tokens();
  const asked = await preflight(shop.idp, '/userinfo', {
    origin: spa,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  });
  expect(corsOf(asked)).toEqual({
    'access-control-allow-origin': spa,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
    'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
    'access-control-max-age': '600',
  });
  for (const authorization of [`Bearer ${access_token}`, 'Bearer x'])
    expect(
      corsOf(await rawRequest(shop.idp.url, { path: '/userinfo', headers: { origin: spa, authorization } })),
    ).toEqual({
      'access-control-allow-origin': spa,
      'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
    });
});

test('the authorization endpoint and every page are for no script of another origin (HTTP-15)', async () => {
  const idp = await startIdp();
  await idp.addClient({ allowed_origins: [spa] });
  const open = ['/token', '/revoke', '/userinfo', '/jwks', '/status-lists', '/status-lists/x'];
  const paths = new Set(routes(idp.deps).map(({ path }) => path.replace(/:\w+/, 'x')));
  // What is under /users/ has origins of its own: test/api/me.test.ts.
  const closed = [...paths].filter((path) => !open.includes(path) && !/^\/(\.well-known|users)\//.test(path));
  expect(closed).toEqual(expect.arrayContaining(['/authorize', '/login', '/logout', '/consent', '/']));
  for (const path of closed) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const answer = await rawRequest(idp.url, { method, path, headers: { origin: spa } });
      expect([path, corsOf(answer)]).toEqual([path, {}]);
    }
  }
});

function preflight(idp: TestIdp, path: string, headers: Record<string, string>): Promise<RawAnswer> {
  return rawRequest(idp.url, { method: 'OPTIONS', path, headers });
}

/** The CORS headers of an answer. */
function corsOf({ headers }: RawAnswer) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}
