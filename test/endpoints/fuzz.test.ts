import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { routes } from '../../src/app.js';
import { parameterText } from '../support/arbitraries.js';
import { formOf } from '../support/browser.js';
import { authorizeUrl } from '../support/flow.js';
import {
  basic,
  code_challenge,
  code_verifier,
  redirect_uri,
  startIdp,
  type TestIdp,
} from '../support/idp.js';
import { type RawAnswer, type RawRequest, rawRequest } from '../support/raw_http.js';
import { startShop } from '../support/shop.js';

/** What a direct endpoint may answer as `error`: RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2. */
const codes = [
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['invalid_scope', 'invalid_target', 'invalid_token', 'insufficient_scope'],
];
const otherMethods = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH'];

const encoded = parameterText(50).map(encodeURIComponent);
/** Something as it may stand in a query or a form: well encoded, or not at all. */
const parameter = fc.oneof(
  { weight: 4, arbitrary: encoded },
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%C3%28',
    '%ED%A0%80',
    '+',
    '=',
    '&&',
    '[]',
    '__proto__',
    'a'.repeat(3000),
  ),
);

test('nothing that is sent to any route is our fault, or stays without an answer', async () => {
  const { idp, known } = await startBusy();
  const request = requestTo(
    routes(idp.deps).map(({ path }) => path),
    known,
  );
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const answer = await rawRequest(idp.url, sent);
      expectWellFormed(sent, answer);
    }),
    { numRuns: 500 },
  );
  expect(idp.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test('the token endpoint answers any form of an authenticated client in JSON with a registered code (HTTP-08, HTTP-09, HTTP-11)', async () => {
  const { idp, known, secret } = await startBusy();
  const form = pairsOf(known);
  await fc.assert(
    fc.asyncProperty(
      form,
      fc.constantFrom('authorization_code', 'refresh_token', 'client_credentials'),
      async (pairs, grant_type) => {
        const body = [...pairs.filter(([name]) => name !== 'grant_type'), ['grant_type', grant_type]]
          .map((pair) => pair.join('='))
          .join('&');
        const headers = { ...basic('shop', secret), 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await rawRequest(idp.url, { method: 'POST', path: '/token', headers, body });
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
        expect(answer.headers['cache-control']).toBe('no-store');
        if (answer.status === 200) return;
        expect([400, 401]).toContain(answer.status);
        expect(codes).toContain(JSON.parse(answer.body).error);
      },
    ),
    { numRuns: 250 },
  );
});

test('cookies of any kind are somebody signed out, or nothing (hardening 30)', async () => {
  const idp = await startIdp();
  const name = fc.constantFrom(
    'sallyport_session',
    'sallyport_browser',
    'sallyport_device',
    'x',
    '__Host-sallyport_session',
    '',
  );
  const pair = fc.tuple(name, fc.constantFrom('=', '', '=='), headerValue).map((parts) => parts.join(''));
  const cookie = fc.array(pair, { maxLength: 6 }).map((pairs) => pairs.join('; '));
  await fc.assert(
    fc.asyncProperty(cookie, fc.constantFrom('/', '/login', '/logout', '/signed-out'), async (sent, path) => {
      const { status, body } = await rawRequest(idp.url, { path, headers: { cookie: sent } });
      expect([200, 303]).toContain(status);
      expect(body).not.toContain('ada@example.com');
    }),
    { numRuns: 200 },
  );
});

test('bytes that are no HTTP get 400 or nothing, and the server goes on', async () => {
  const idp = await startIdp();
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((each) => Buffer.from(each)),
    fc.string({ maxLength: 40 }).map((each) => Buffer.from(`GET /${each} HTTP/9.9\r\n\r\n`)),
    fc.string({ maxLength: 40 }).map((each) => Buffer.from(`GET / HTTP/1.1\r\n${each}\r\n\r\n`)),
    fc
      .constantFrom(
        'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
        'GET / HTTP/1.1\r\n\r\n',
        'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n',
      )
      .map((each) => Buffer.from(each)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const answer = await sendBytes(idp, sent);
      expect(answer).toMatch(/^($|HTTP\/1\.1 [2345]\d\d )/);
      expect(answer).not.toMatch(/^HTTP\/1\.1 5(?!05)/); // 505: a version that there is not
    }),
    { numRuns: 100 },
  );
  expect((await rawRequest(idp.url, { path: '/healthz' })).status).toBe(200);
});

/** What a request header may hold on the wire. */
const headerValue = fc.string({ unit: fc.constantFrom(...visible()), maxLength: 60 });

function visible(): string[] {
  return Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).concat('\t', 'é', 'ÿ');
}

/** Parameters and headers that mean something here. */
interface Known {
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** A request to one of these paths, made of what means something here and of what does not. */
function requestTo(paths: readonly string[], known: Known): fc.Arbitrary<RawRequest> {
  const path = fc
    .tuple(fc.constantFrom(...paths), parameter)
    .map(([each, value]) => each.replace(/:\w+/, value.replaceAll(/[^\x21-\x7e]/g, '')));
  const pairs = pairsOf(known).map((all) => all.map((pair) => pair.join('=')).join('&'));
  const headers = someOf(
    Object.entries(known.headers).map(([name, usual]) => {
      const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, headerValue);
      return value.map((each): [string, string] => [name, each]);
    }),
  ).map((all): Record<string, string> => Object.fromEntries(all));
  const target = fc.tuple(path, pairs).map(([each, query]) => (query === '' ? each : `${each}?${query}`));
  const raw = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof(
    fc.record({ method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'), path: target, headers }),
    fc.record({
      method: fc.oneof({ weight: 5, arbitrary: fc.constant('POST') }, fc.constantFrom(...otherMethods)),
      path: fc.oneof(path, target),
      headers,
      body: fc.oneof({ weight: 5, arbitrary: pairs }, raw),
    }),
  );
}

/** Some of the known parameters, most of them good, and a few that nobody knows. */
function pairsOf({ parameters }: Known): fc.Arbitrary<[string, string][]> {
  const usual = Object.entries(parameters).map(([name, good]) =>
    fc
      .oneof({ weight: 5, arbitrary: fc.constant(good) }, parameter)
      .map((value): [string, string] => [name, value]),
  );
  const odd = fc.array(fc.tuple(parameter, parameter), { maxLength: 2 });
  return fc.tuple(someOf(usual), odd).map(([some, more]) => [...some, ...more]);
}

/** Most of the values of these. */
function someOf<T>(each: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T[]> {
  const present = fc.integer({ min: 0, max: 3 }).map((dice) => dice > 0);
  const drawn = each.map((one) => fc.tuple(present, one));
  return fc.tuple(...drawn).map((all) => all.filter(([is]) => is).map(([, value]) => value));
}

/** An answer below 500, in the language of its endpoint. */
function expectWellFormed({ method, path }: RawRequest, answer: RawAnswer): void {
  const { status, headers, body } = answer;
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  const type = String(headers['content-type']);
  if (status === 405) expect(headers.allow).toMatch(/^[A-Z, ]+$/);
  else if (/^\/(token|userinfo)(\?|$)/.test(path) && status >= 400 && method !== 'HEAD' && body !== '') {
    expect(type).toBe('application/json; charset=utf-8');
    expect(codes).toContain(JSON.parse(body).error);
  } else if (type.startsWith('text/html')) {
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    if (method !== 'HEAD') expect(body).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
  }
}

/** A server with somebody signed in and a request under way, and what an attacker could have seen of it. */
async function startBusy() {
  const shop = await startShop();
  const { idp, browser } = shop;
  const tokens = await shop.tokens();
  const code = await shop.code();
  const login = formOf((await browser.get(authorizeUrl('shop', { prompt: 'login' }))).html).hidden;
  const parameters = {
    client_id: 'shop',
    ...{ redirect_uri, response_type: 'code', scope: 'openid email', state: 's', nonce: 'n' },
    ...{ code_challenge, code_challenge_method: 'S256', response_mode: 'form_post', max_age: '0' },
    ...{
      claims: '{"id_token":{"email":null}}',
      id_token_hint: tokens.id_token,
      login_hint: 'ada@example.com',
    },
    ...{ grant_type: 'refresh_token', code, code_verifier, refresh_token: tokens.refresh_token },
    ...{ ...login, action: 'sign_in', email: 'ada@example.com', password: 'wrong' },
    ...{ post_logout_redirect_uri: redirect_uri, token: 'x', user: 'x' },
  };
  /** These would end every request early if they were always there. */
  const seldom = ['prompt', 'resource', 'client_secret', 'client_assertion', 'access_token', 'request_uri'];
  const encodedParameters = Object.entries({
    ...parameters,
    ...Object.fromEntries(seldom.map((name) => [name, ''])),
  });
  const known: Known = {
    parameters: Object.fromEntries(
      encodedParameters.map(([name, value]) => [name, encodeURIComponent(value)]),
    ),
    headers: {
      authorization: [`Bearer ${tokens.access_token}`, 'Basic c2hvcDp4', 'Bearer', 'Basic', 'Digest x'],
      cookie: [[...browser.cookies].map((pair) => pair.join('=')).join('; ')],
      'content-type': ['application/x-www-form-urlencoded'],
      'content-encoding': ['identity'],
      origin: [idp.issuer, 'https://evil.example', 'null'],
      'sec-fetch-site': ['same-origin', 'none', 'cross-site'],
      'if-none-match': ['*', '""'],
      'x-forwarded-for': ['1.2.3.4', '::1, , x', 'unknown'],
      range: ['bytes=0-1'],
    },
  };
  return { idp, known, secret: shop.shop.client_secret };
}

/** Everything the server says to these bytes before it hangs up, or before we do. */
function sendBytes(idp: TestIdp, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(idp.url).port), '127.0.0.1');
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(said));
    socket.end(bytes);
  });
}
