import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { anyText } from '../support/arbitraries.js';
import { ask, methods, sealOf, signedInBrowser } from '../support/authorize.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { every_response_type } from '../support/front_channel.js';
import { code_challenge, redirect_uri, startIdp, type TestIdp } from '../support/idp.js';

const registered = [redirect_uri, 'http://127.0.0.1:51004/cb', 'com.example.app:/cb?x=1'];
const native = {
  application_type: 'native',
  redirect_uris: registered,
  grant_types: ['authorization_code', 'refresh_token', 'implicit'],
  response_types: ['code', 'none', 'code id_token', 'id_token token'],
};

let idp: TestIdp;
/** One who is signed in, one who is not. */
let browsers: readonly Browser[];
beforeEach(async () => {
  idp = await startIdp({ settings: { RESPONSE_TYPES: every_response_type, REQUEST_URI: 'registered' } });
  await idp.addUser();
  await idp.addClient(native, 'shop');
  await idp.addClient({ ...native, token_endpoint_auth_method: 'none', first_party: false }, 'tool');
  browsers = [await signedInBrowser(idp), idp.browser()];
});

/** Each parameter with values that mean something there, good and bad. */
const meaningful: Readonly<Record<string, readonly string[]>> = {
  client_id: ['shop', 'tool', 'nobody', ''],
  redirect_uri: [...registered, 'https://evil.example/cb', 'http://127.0.0.1:80/cb', 'javascript:alert(1)'],
  response_type: ['code', 'token', 'id_token code', 'none', 'id_token token', 'code token'],
  response_mode: ['query', 'form_post', 'fragment', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
  scope: ['openid', 'openid email offline_access', 'email', 'x y z', '"'],
  state: ['s2', '"><script>', 'a\r\nb'],
  nonce: ['n', 'ü'],
  prompt: ['none', 'login', 'consent', 'select_account', 'none login', 'login consent', 'create'],
  max_age: ['0', '10', '10000', '-1', '999999999999'],
  code_challenge: [code_challenge, 'short'],
  code_challenge_method: ['S256', 'plain'],
  login_hint: ['ada@example.com', '<b>'],
  id_token_hint: ['x.y.z', 'e30.e30.e30'],
  claims: ['{}', '{', 'null', '{"id_token":{"sub":{"value":"x"},"email":null}}', '{"userinfo":[]}'],
  resource: ['urn:example:api', 'https://api.example'],
  request: ['e30.e30.'],
  request_uri: ['urn:example:1', 'urn:ietf:params:oauth:request_uri:x', 'https://shop.example/r'],
  registration: ['{}'],
  ui_locales: ['de'],
  acr_values: ['x'],
  display: ['popup'],
  csrf: ['x'],
  action: ['allow', 'deny', 'cancel', 'continue', 'another', 'sign_in'],
  email: ['ada@example.com'],
  password: ['wrong password'],
  __proto__x: ['1'],
};
const broken = fc.constantFrom('%', '%zz', '%ff', '%c3', '%00', '%ed%a0%80', '%F4%90%80%80', '\u00ff');
const value = fc.oneof(
  { weight: 10, arbitrary: anyText(30).map((text) => encodeURIComponent(Buffer.from(text).toString())) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4000 }).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: broken },
);
const pair = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...Object.entries(meaningful).flatMap(([name, values]) =>
        values.map((each) => `${name}=${encodeURIComponent(each)}`),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...Object.keys(meaningful)), value).map((both) => both.join('=')),
  },
  { weight: 1, arbitrary: fc.tuple(value, value).map((both) => both.join('=')) },
);

/** A good request of which some is left out, replaced, repeated or added. */
const good = [
  'client_id=shop',
  `redirect_uri=${encodeURIComponent(redirect_uri)}`,
  'response_type=code',
  'scope=openid',
  'state=s1',
  `code_challenge=${code_challenge}`,
  'code_challenge_method=S256',
];
const nameOf = (parameter: string) => parameter.split('=')[0];
const encoded = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: fc.subarray(good) }),
    fc.array(pair, { maxLength: 4 }),
    fc.integer({ min: 0, max: 4 }),
  )
  .map(([kept, added, repeating]) => {
    const replaced = kept.filter((own) => !added.some((other) => nameOf(own) === nameOf(other)));
    return [...(repeating === 0 ? kept : replaced), ...added].join('&');
  });

const errorCodes =
  /^(invalid_|unauthorized_client|access_denied|unsupported_response_type|login_required|consent_required|account_selection_required|unmet_authentication_requirements|request_not|request_uri_not|registration_not)/;

/** Ours, and what may be asked there; or the client's, and what may be told there. */
function expectWellFormed(page: Page): void {
  expect(page.status).toBeLessThan(500);
  expect(page.html).not.toMatch(/\bat .*\.(ts|js):\d+/);
  const location = page.headers.get('location');
  if (location === null) {
    expect([200, 400, 403, 413, 431]).toContain(page.status);
    if (page.status !== 431) expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    if (page.html.includes('id="form-post"'))
      expectAnswer(formOf(page.html).action, formOf(page.html).hidden);
    return;
  }
  expect([page.status, page.html]).toEqual([303, '']);
  if (/^\/(login|consent|choose-account|authorize\/resume)\?request=[\w.-]+$/.test(location)) return;
  const target = registered.find(
    (uri) => location.startsWith(uri) && /^[?&#]/.test(location.slice(uri.length)),
  );
  const loopback = /^http:\/\/127\.0\.0\.1(:\d+)?\/cb(?=[?#])/.exec(location)?.[0];
  expect(target ?? loopback, location).toBeDefined();
  const { hash, searchParams } = new URL(location);
  const query = Object.fromEntries(searchParams);
  if (hash === '') expect([query.access_token, query.id_token]).toEqual([undefined, undefined]);
  const sent = hash === '' ? query : Object.fromEntries(new URLSearchParams(hash.slice(1)));
  expectAnswer(target ?? loopback ?? '', sent);
}

function expectAnswer(target: string, sent: Record<string, string>): void {
  const { code, error, error_description, iss, access_token, id_token } =
    sent.response === undefined ? sent : (decodeJwt(sent.response) as Record<string, string>);
  expect(target).toMatch(
    /^(https:\/\/shop\.example\/cb|http:\/\/127\.0\.0\.1(:\d+)?\/cb|com\.example\.app:\/cb\?x=1)$/,
  );
  expect(iss).toBe(idp.issuer);
  if (code !== undefined) expect(code).toMatch(/^[\w-]{43}$/);
  if (error !== undefined)
    expect([code, access_token, id_token, error]).toEqual([
      ...[undefined, undefined, undefined],
      expect.stringMatching(errorCodes),
    ]);
  expect(error_description ?? '').toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('whatever the parameters are', () => {
  test.each(methods)(
    '%s /authorize answers below 500, and redirects to nobody who is not registered (AUT-25, BCP-01)',
    async (method) => {
      await fc.assert(
        fc.asyncProperty(encoded, fc.nat(1), async (parameters, who) => {
          const browser = browsers[who] ?? idp.browser();
          const first =
            method === 'GET'
              ? await browser.request(`/authorize?${parameters}`)
              : await browser.request('/authorize', { method, body: parameters, headers: form });
          expectWellFormed(first);
          expectWellFormed(await browser.follow(Promise.resolve(first)));
        }),
        { numRuns: 100 },
      );
    },
  );

  test('GET and POST come to the same (AUT-01)', async () => {
    await fc.assert(
      fc.asyncProperty(encoded, fc.nat(1), async (parameters, who) => {
        const browser = browsers[who] ?? idp.browser();
        const asked = await browser.get(`/authorize?${parameters}`);
        const posted = await browser.follow(
          browser.request('/authorize', { method: 'POST', body: parameters, headers: form }),
        );
        expect(outcomeOf(posted)).toEqual(outcomeOf(asked));
      }),
      { numRuns: 60 },
    );
  });

  test('the pages answer below 500, and go nowhere', async () => {
    const [signedIn = idp.browser()] = browsers;
    const seal = sealOf(await ask(signedIn, 'tool'));
    const request = fc.oneof(fc.constant(seal), fc.constant(`${seal}&request=${seal}`), value);
    const path = fc.constantFrom('/login', '/consent', '/choose-account', '/authorize/resume');
    const fields = fc.array(pair, { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(path, request, fields, fc.constantFrom(...methods), fc.nat(1), async (...parts) => {
        const [where, sealed, added, method, who] = parts;
        const browser = browsers[who] ?? idp.browser();
        const parameters = [`request=${sealed}`, ...added].join('&');
        if (method === 'POST' && where === '/authorize/resume') return;
        const page =
          method === 'GET'
            ? await browser.request(`${where}?${parameters}`)
            : await browser.request(where, { method, body: parameters, headers: form });
        expectWellFormed(page);
      }),
      { numRuns: 100 },
    );
  });
});

/** What an answer is, without what differs each time. */
function outcomeOf(page: Page): unknown {
  const heading = /<h1[^>]*>[\s\S]*?<\/h1>/.exec(page.html)?.[0];
  return [page.status, heading, withoutChance(page.headers.get('location') ?? '')];
}

/** An answer without what is another one each time; of a response in a JWT its members. */
function withoutChance(location: string): string {
  return location
    .replace(/\bresponse=([\w-]+\.[\w-]+\.[\w-]+)/, (_, jwt) => {
      const { exp, code, access_token, id_token, ...members } = decodeJwt(jwt);
      return JSON.stringify({
        ...members,
        given: [code, access_token, id_token].map((one) => one !== undefined),
      });
    })
    .replaceAll(/\b(code|access_token|id_token)=[\w.-]{43,}/g, '$1=');
}
