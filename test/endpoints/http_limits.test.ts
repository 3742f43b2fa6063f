import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { routes } from '../../src/app.js';
import { basic, startIdp } from '../support/idp.js';
import { rawRequest } from '../support/raw_http.js';
import { startShop } from '../support/shop.js';

const form = 'application/x-www-form-urlencoded';

describe('methods', () => {
  test('every path of the table answers another method 405 with Allow (HTTP-04, RFC 9110 §15.5.6)', async () => {
    const idp = await startIdp();
    const known = methodsByPath(routes(idp.deps));
    const missing: string[] = [];
    for (const [path, methods] of known) {
      for (const method of [
        'GET',
        'HEAD',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
      ]) {
        if (methods.has(method)) continue;
        const { status, headers } = await rawRequest(idp.url, { method, path });
        const allowed = String(headers.allow).split(', ').sort();
        if (status !== 405 || String(allowed) !== String([...methods].sort()))
          missing.push(`${method} ${path}`);
      }
    }
    expect(missing).toEqual([]);
    expect(known.size).toBeGreaterThan(15);
  });

  test('the token endpoint takes POST alone, and says so (HTTP-04)', async () => {
    const idp = await startIdp();
    const { status, headers } = await rawRequest(idp.url, { path: '/token?grant_type=x' });
    expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS']);
  });

  test('a path that is not there is a page with 404', async () => {
    const idp = await startIdp();
    for (const path of [
      '/nothing',

      '//token',
      '/token/../userinfo',
      '/authorize%2Fresume',
    ]) {
      const { status, headers } = await rawRequest(idp.url, { path });
      expect([path, status, headers['content-type']]).toEqual([path, 404, 'text/html; charset=utf-8']);
    }
  });
});

describe('the body of a form', () => {
  test.each([
    ['application/json', '{"grant_type":"client_credentials"}'],
    ['text/plain', 'grant_type=client_credentials'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/x-www-form-urlencoded-not', 'grant_type=client_credentials'],
    ['', 'grant_type=client_credentials'],
  ])('of the content type %j: 400 invalid_request (HTTP-05)', async (type, body) => {
    const { idp, headers } = await start();
    const { status, body: text } = await rawRequest(idp.url, {
      ...{ method: 'POST', path: '/token', body },
      headers: { ...headers, 'content-type': type },
    });
    expect([status, JSON.parse(text).error]).toEqual([400, 'invalid_request']);
  });

  test.each([form, `${form}; charset=UTF-8`, `${form};charset=x`, 'APPLICATION/x-www-form-URLENCODED'])(
    'of the content type %s is read (HTTP-05)',
    async (type) => {
      const { idp, headers } = await start();
      const { status } = await rawRequest(idp.url, {
        ...{ method: 'POST', path: '/token', body: 'grant_type=client_credentials' },
        headers: { ...headers, 'content-type': type },
      });
      expect(status).toBe(200);
    },
  );

  test.each<[string, string | Buffer]>([
    ['a percent sign at the end', 'grant_type=%'],
    ['half an escape', 'grant_type=%4'],
    ['an escape that is no number', 'grant_type=%zz'],
    ['a broken name', '%zz=1'],
    ['escapes that are not UTF-8', 'grant_type=%C3%28'],
    ['a surrogate in UTF-8', 'grant_type=%ED%A0%80'],
    ['overlong UTF-8', 'grant_type=%C0%AF'],
    ['U+0000', 'grant_type=%00'],
    ['raw bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
  ])('with %s: 400 invalid_request', async (_, body) => {
    const { idp, headers } = await start();
    const sent = { method: 'POST', path: '/token', headers: { ...headers, 'content-type': form }, body };
    const { status, body: text } = await rawRequest(idp.url, sent);
    expect([status, JSON.parse(text).error]).toEqual([400, 'invalid_request']);
  });

  test('that is compressed: 400, never unpacked (hardening 21)', async () => {
    const { idp, headers } = await start();
    for (const encoding of ['gzip', 'deflate', 'br', 'x', 'identity, gzip']) {
      const { status, body } = await rawRequest(idp.url, {
        ...{ method: 'POST', path: '/token' },
        headers: { ...headers, 'content-type': form, 'content-encoding': encoding },
        body: gzipSync('grant_type=client_credentials'),
      });
      expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_request']);
    }
  });

  test.each([
    ['/token', 'application/json'],
    ['/userinfo', 'application/json'],
    ['/authorize', 'text/html'],
    ['/login', 'text/html'],
    ['/logout', 'text/html'],
  ])('over 64 KiB to %s: 413, and the connection is closed (HTTP-23)', async (path, type) => {
    const { idp } = await start();
    for (const [size, declared] of [
      [65_537, true],
      [65_537, false],
      [2_000_000, true],
      [2_000_000, false],
    ] as const) {
      const body = `x=${'a'.repeat(size - 2)}`;
      const length = declared ? { 'content-length': String(size) } : { 'transfer-encoding': 'chunked' };
      const headers = { 'content-type': form, ...length };
      const answer = await rawRequest(idp.url, { method: 'POST', path, headers, body });
      expect([answer.status, answer.headers.connection]).toEqual([413, 'close']);
      expect(answer.headers['content-type']).toContain(type);
    }
  });

  test('of exactly 64 KiB is read', async () => {
    const { idp, headers } = await start();
    const body = `grant_type=client_credentials&${'x'.repeat(65_536 - 30)}`;
    const sent = { method: 'POST', path: '/token', headers: { ...headers, 'content-type': form }, body };
    expect((await rawRequest(idp.url, sent)).status).toBe(200);
  });

  test('with a parameter over 2,048 characters: 400 that names it', async () => {
    const { idp, headers } = await start();
    const { status, body } = await idp.token({ grant_type: 'x'.repeat(2049) }, headers);
    expect([status, body.error]).toEqual([400, 'invalid_request']);
    expect(body.error_description).toContain('grant_type');
  });

  test('with a thousand parameters is read', async () => {
    const { idp, headers } = await start();
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, 'x']));
    const { status } = await idp.token({ grant_type: 'client_credentials', ...many }, headers);
    expect(status).toBe(200);
  });
});

describe('the head of a request', () => {
  test('over 16 KiB: 431, whether it is the URL, a header or cookies', async () => {
    const idp = await startIdp();
    const long = 'a'.repeat(17_000);
    for (const sent of [
      { path: `/authorize?state=${long}` },
      { path: '/jwks', headers: { 'x-long': long } },
      { path: '/', headers: { cookie: `a=${long}` } },
    ])
      expect((await rawRequest(idp.url, sent)).status).toBe(431);
  });

  test('with a broken query: 400', async () => {
    const idp = await startIdp();
    for (const path of [
      '/authorize?client_id=%',
      '/login?request=%zz',
      '/logout?state=%C3',
      '/claim?token=%00',
    ])
      expect((await rawRequest(idp.url, { path })).status).toBe(400);
  });

  test('with a whole URL in place of a path is understood (RFC 9112 §3.2.2)', async () => {
    const idp = await startIdp();
    const { status, body } = await rawRequest(idp.url, { path: `${idp.url}/jwks` });
    expect([status, JSON.parse(body)]).toEqual([200, { keys: [expect.any(Object)] }]);
  });

  test('with a broken path: an answer that is not our fault', async () => {
    const idp = await startIdp();
    for (const path of [
      '/logos/%',
      '/logos/%zz',
      '/assets/%C3',
      '/assets/..%2f..%2fpackage.json',
      '/%',
      '*',
      'http://[',
      '/?%',
    ]) {
      const { status } = await rawRequest(idp.url, { path });
      expect([path, status >= 200 && status < 500]).toEqual([path, true]);
    }
  });
});

describe('cookies that are nothing of ours count as signed out (hardening 30)', () => {
  test.each([
    'sallyport_session',
    'sallyport_session=',
    'sallyport_session=x',
    `sallyport_session=${'A'.repeat(43)}`,
    `sallyport_session=${'A'.repeat(5000)}`,
    'sallyport_session="quoted"',
    'sallyport_session=%00',
    'sallyport_session=a=b; sallyport_session=c',
    ';;;=;=;,,, \t',
    '=sallyport_session',
    `${'a=b; '.repeat(1000)}`,
  ])('%.60s', async (cookie) => {
    const idp = await startIdp();
    const { status, body } = await rawRequest(idp.url, { path: '/', headers: { cookie } });
    expect(status).toBe(200);
    expect(body).not.toContain('sign_out');
  });

  test('two session cookies count as none, even if one is good', async () => {
    const shop = await startShop();
    await shop.code();
    const good = `sallyport_session=${shop.browser.cookies.get('sallyport_session')}`;
    const ask = (cookie: string) => rawRequest(shop.idp.url, { path: '/', headers: { cookie } });
    expect((await ask(good)).body).toContain('ada@example.com');
    for (const cookie of [`${good}; sallyport_session=x`, `${good}; ${good}`])
      expect((await ask(cookie)).body).not.toContain('ada@example.com');
  });
});

describe('headers of every answer', () => {
  test('nosniff and the right Date everywhere, HSTS on https alone (HTTP-03, decisions 17, HTTP-13)', async () => {
    for (const [ISSUER, hsts] of [
      ['http://localhost:4000', undefined],
      ['https://id.example', 'max-age=63072000'],
    ] as const) {
      const idp = await startIdp({ settings: { ISSUER } });
      for (const path of ['/', '/jwks', '/token', '/nothing', '/healthz', '/authorize']) {
        const { headers } = await rawRequest(idp.url, { path });
        expect([headers['x-content-type-options'], headers['strict-transport-security']]).toEqual([
          'nosniff',
          hsts,
        ]);
        expect(Math.abs(Date.parse(String(headers.date)) / 1000 - idp.now())).toBeLessThan(60);
      }
    }
  });

  test('nothing tells what the server is made of', async () => {
    const idp = await startIdp();
    const { headers } = await rawRequest(idp.url, { path: '/' });
    expect([headers.server, headers['x-powered-by']]).toEqual([undefined, undefined]);
  });

  test('the issuer comes from the settings, never from Host or X-Forwarded-Host (HTTP-01)', async () => {
    const idp = await startIdp();
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    };
    for (const path of ['/.well-known/openid-configuration', '/', '/login', '/authorize?client_id=x']) {
      const answer = await rawRequest(idp.url, { path, headers });
      expect(JSON.stringify(answer)).not.toContain('evil.example');
    }
  });
});

/** The methods of each path, with HEAD wherever there is GET. */
function methodsByPath(table: ReturnType<typeof routes>): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  for (const { methods, path } of table) {
    const plain = path.replace(/:\w+/, 'x');
    const all = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    known.set(plain, new Set([...(known.get(plain) ?? []), ...all]));
  }
  return known;
}

async function start() {
  const idp = await startIdp();
  const { client_secret } = await idp.addClient({ grant_types: ['client_credentials'] }, 'batch');
  return { idp, headers: basic('batch', client_secret) };
}
