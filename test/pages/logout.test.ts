import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import type { Browser, Page } from '../support/browser.js';
import { authorizeUrl, getTokens, redeem, refresh, responseOf, signIn } from '../support/flow.js';
import { type Form, formBody, startIdp, type TestIdp } from '../support/idp.js';

const bye = 'https://shop.example/bye';
const byeWithQuery = 'https://shop.example/bye?from=sallyport';

/** Somebody who is signed in to an application that may send them back after a sign-out. */
async function started(options: Parameters<typeof startIdp>[0] = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  const shop = await idp.addClient({ post_logout_redirect_uris: [bye, byeWithQuery] }, 'shop');
  const browser = idp.browser();
  const tokens = await getTokens(idp, shop, { scope: 'openid offline_access' }, browser);
  return { idp, shop, browser, tokens, id_token_hint: tokens.id_token };
}

function logoutUrl(parameters: Form): string {
  return `/logout?${formBody(parameters)}`;
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.get('/')).html.includes('You are signed in');
}

/** What happened, in a word and, where the browser was sent away, whereto. */
function outcomeOf({ status, headers, html }: Page): readonly unknown[] {
  if (status === 303) return ['sent away', headers.get('location')];
  const heading = /<h1[^>]*>([^<]*)/.exec(html)?.[1];
  return [status, heading];
}

const asked = [200, 'Sign out?'];
const signedOut = [200, 'You are signed out'];
const refused = [400, expect.stringContaining('does not work')];

describe('the end session endpoint, asked by', () => {
  test.each(['GET', 'POST'])(
    '%s: with a hint for this session it signs out at once (RIL-01, RIL-02)',
    async (method) => {
      const { browser, id_token_hint } = await started();
      const request = { id_token_hint, post_logout_redirect_uri: bye, state: 's1' };
      const page =
        method === 'GET' ? await browser.get(logoutUrl(request)) : await browser.post('/logout', request);
      expect(outcomeOf(page)).toEqual(['sent away', `${bye}?state=s1`]);
      expect(browser.cookies.has('sallyport_session')).toBe(false);
      expect(await isSignedIn(browser)).toBe(false);
    },
  );

  test.each<[string, (id_token_hint: string) => Form, readonly unknown[]]>([
    [
      'a hint and no state',
      (id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: bye }),
      ['sent away', bye],
    ],
    [
      'a URI that has a query of its own',
      (id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: byeWithQuery, state: 'a b&c' }),
      ['sent away', `${byeWithQuery}&state=a+b%26c`],
    ],
    [
      'a hint and the same client_id',
      (id_token_hint) => ({ id_token_hint, client_id: 'shop', post_logout_redirect_uri: bye }),
      ['sent away', bye],
    ],
    ['a hint alone', (id_token_hint) => ({ id_token_hint }), signedOut],
    ['a hint and state, without a URI', (id_token_hint) => ({ id_token_hint, state: 's1' }), signedOut],
    [
      'a hint and what needs no answer',
      (id_token_hint) => ({ id_token_hint, logout_hint: 'ada@example.com', ui_locales: 'tlh', other: 'x' }),
      signedOut,
    ],
  ])('a request with %s, signs out at once (RIL-03, RIL-07)', async (_, request, outcome) => {
    const { browser, id_token_hint } = await started();
    expect(outcomeOf(await browser.get(logoutUrl(request(id_token_hint))))).toEqual(outcome);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test.each([
    ['with client_id', { client_id: 'shop' }],
    ['without client_id', {}],
  ])(
    'a request with a hint that expired, %s, works all the same (RIL-06, protocol.md §30.11)',
    async (_, more) => {
      const { idp, browser, id_token_hint } = await started();
      idp.advance(idp.config.ID_TOKEN_SECONDS + 1000);
      const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, ...more }));
      expect(outcomeOf(page)).toEqual(['sent away', bye]);
      expect(await isSignedIn(browser)).toBe(false);
    },
  );

  test('somebody whose session has ended already goes back without a question', async () => {
    const { idp, browser, id_token_hint } = await started();
    idp.advance(idp.config.SESSION_IDLE_SECONDS + 1);
    const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, state: 's1' }));
    expect(outcomeOf(page)).toEqual(['sent away', `${bye}?state=s1`]);
  });

  test('a state of 2,048 characters, which comes back byte for byte', async () => {
    const { browser, id_token_hint } = await started();
    const state = `~'*!()%20+ü${'x'.repeat(2037)}`;
    const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, state }));
    expect(responseOf(page)).toEqual({ state });
  });
});

describe('the person is asked first', () => {
  test.each<
    [string, (world: Awaited<ReturnType<typeof started>>) => Promise<Form> | Form, readonly unknown[]]
  >([
    ['nothing is told (RIL-07)', () => ({}), signedOut],
    ['only a state is told (RIL-07)', () => ({ state: 's1' }), signedOut],
    ['only client_id is told', () => ({ client_id: 'shop' }), signedOut],
    [
      'client_id and its URI are told (RIL-03)',
      () => ({ client_id: 'shop', post_logout_redirect_uri: bye, state: 's1' }),
      ['sent away', `${bye}?state=s1`],
    ],
    [
      'a URI comes without a client (RIL-05)',
      () => ({ post_logout_redirect_uri: bye, state: 's1' }),
      signedOut,
    ],
    [
      'client_id is unknown (RIL-05)',
      () => ({ client_id: 'nobody', post_logout_redirect_uri: bye }),
      signedOut,
    ],
    [
      'the hint is that of another person (RIL-02)',
      async ({ idp, shop }) => {
        await idp.addUser({ email: 'grace@example.com' });
        const grace = idp.browser();
        const page = await grace.get(authorizeUrl('shop'));
        const { code = '' } = responseOf(await signIn(grace, page, { email: 'grace@example.com' }));
        const { body } = await redeem(idp, shop, code);
        return { id_token_hint: body.id_token, post_logout_redirect_uri: bye };
      },
      ['sent away', bye],
    ],
    [
      'the hint is of an earlier session (RIL-02)',
      async ({ idp, shop }) => ({
        id_token_hint: (await getTokens(idp, shop)).id_token, // in another browser
        post_logout_redirect_uri: bye,
      }),
      ['sent away', bye],
    ],
    ['the hint is rubbish (RIL-06)', () => hinted('rubbish'), signedOut],
    ['the hint was altered (RIL-06)', ({ id_token_hint }) => hinted(altered(id_token_hint)), signedOut],
    ['the hint says alg none (RIL-06)', ({ id_token_hint }) => hinted(unsigned(id_token_hint)), signedOut],
    [
      'the hint is signed by a foreign key (RIL-06)',
      ({ id_token_hint }) => foreign(id_token_hint).then(hinted),
      signedOut,
    ],
    [
      'the hint is of another issuer with the same key (RIL-06)',
      () => ofAnotherIssuer().then(hinted),
      signedOut,
    ],
    ['the hint is an access token', ({ tokens }) => hinted(tokens.access_token), signedOut],
  ])('where %s', async (_, request, outcome) => {
    const world = await started();
    const page = await world.browser.get(logoutUrl(await request(world)));
    expect(outcomeOf(page)).toEqual(asked);
    expect(await isSignedIn(world.browser)).toBe(true);

    expect(outcomeOf(await world.browser.submit(page, { action: 'sign_out' }))).toEqual(outcome);
    expect(await isSignedIn(world.browser)).toBe(false);
  });

  test('and may stay: nothing has ended', async () => {
    const { idp, browser, tokens } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    const stayed = await browser.submit(page, { action: 'stay' });
    expect(outcomeOf(stayed)).toEqual([200, 'You are signed in']);
    expect((await idp.userinfo(tokens.access_token)).status).toBe(200);
  });

  test('and may take their time: after more than 15 minutes it works all the same', async () => {
    const { idp, browser } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    idp.advance(16 * 60);
    expect(outcomeOf(await browser.submit(page, { action: 'sign_out' }))).toEqual(['sent away', bye]);
  });

  test('and nobody is sent to a URI that was taken from the client meanwhile', async () => {
    const { idp, browser } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    await updateClient(idp.deps, 'shop', { post_logout_redirect_uris: [] }, idp.now());
    expect(outcomeOf(await browser.submit(page, { action: 'sign_out' }))).toEqual(refused);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('an error page, and nobody is sent away, where', () => {
  test.each<[string, Form]>([
    ['the URI is another', { post_logout_redirect_uri: 'https://attacker.example/' }],
    ['a query was added', { post_logout_redirect_uri: `${bye}?x=1` }],
    ['a slash was added', { post_logout_redirect_uri: `${bye}/` }],
    ['the host is in capitals', { post_logout_redirect_uri: 'https://SHOP.example/bye' }],
    ['there are dots in the path', { post_logout_redirect_uri: 'https://shop.example/x/../bye' }],
    ['a user name was added', { post_logout_redirect_uri: 'https://shop.example@attacker.example/bye' }],
    ['it is one for sign-ins', { post_logout_redirect_uri: 'https://shop.example/cb' }],
  ])('%s (RIL-04)', async (_, change) => {
    const { browser, id_token_hint } = await started();
    for (const vouched of [{ id_token_hint }, { client_id: 'shop' }]) {
      expect(outcomeOf(await browser.get(logoutUrl({ ...vouched, ...change })))).toEqual(refused);
      expect(outcomeOf(await browser.post('/logout', { ...vouched, ...change }))).toEqual(refused);
    }
  });

  test.each<[string, Form]>([
    ['client_id is not the audience of the hint (RIL-06)', { client_id: 'blog' }],
    ['a parameter comes twice (HTTP-06)', { state: ['a', 'b'] }],
  ])('%s', async (_, change) => {
    const { idp, browser, id_token_hint } = await started();
    await idp.addClient({}, 'blog');
    const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, ...change }));
    expect(outcomeOf(page)).toEqual(refused);
    expect(await isSignedIn(browser)).toBe(true);
  });
});

describe('the form that asks', () => {
  test.each<[string, Form, Record<string, string>]>([
    ['without its token', { csrf: '' }, {}],
    ['with a made-up token', { csrf: 'A'.repeat(43) }, {}],
    ['from another site (Fetch Metadata)', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another origin', {}, { origin: 'https://attacker.example' }],
  ])('somebody posts it %s: the session goes on (hardening 33)', async (_, change, headers) => {
    const { browser } = await started();
    const page = await browser.get('/logout');
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1];
    const again = await browser.post('/logout/confirm', { csrf, action: 'sign_out', ...change }, headers);
    expect(outcomeOf(again)).toEqual([403, 'Sign out?']); // the form again, this time with a good token
    expect(await isSignedIn(browser)).toBe(true);
    expect(outcomeOf(await browser.submit(again, { action: 'sign_out' }))).toEqual(signedOut);
  });

  test("somebody posts it with the token of their own browser: the victim's session goes on", async () => {
    const { idp, browser } = await started();
    const mallory = idp.browser();
    await signIn(mallory, await mallory.get('/login'));
    const theirs = /name="csrf" value="([^"]*)"/.exec((await mallory.get('/logout')).html)?.[1];
    const page = await browser.post('/logout/confirm', { csrf: theirs, action: 'sign_out' });
    expect([page.status, await isSignedIn(browser)]).toEqual([403, true]);
  });

  test('a sealed sign-in request does not open as a request to sign out', async () => {
    const { browser } = await started();
    const { url } = await browser.get(authorizeUrl('shop', { prompt: 'login' }));
    const sealed = new URL(url).searchParams.get('request') ?? '';
    expect((await browser.get(`/logout/confirm?request=${sealed}`)).status).toBe(403);
    expect((await browser.get(`/logout/resume?request=${sealed}`)).status).toBe(403);
  });
});

test('after a sign-out everything that hung on the session is dead, except offline access (RIL-08, RFT-06)', async () => {
  const { idp, shop, browser, tokens } = await started();
  const bound = await getTokens(idp, shop, {}, browser);
  const { code = '' } = responseOf(await browser.get(authorizeUrl('shop')));
  await browser.get(logoutUrl({ id_token_hint: tokens.id_token }));

  expect((await redeem(idp, shop, code)).body.error).toBe('invalid_grant');
  expect((await idp.userinfo(bound.access_token)).status).toBe(401);
  expect((await refresh(idp, shop, bound.refresh_token)).body.error).toBe('invalid_grant');
  expect((await refresh(idp, shop, tokens.refresh_token)).status).toBe(200);
  expect(responseOf(await browser.get(authorizeUrl('shop', { prompt: 'none' })))).toMatchObject({
    error: 'login_required',
  });
});

test('the page at the end leads back to the application, to its home page and nowhere else', async () => {
  const idp = await startIdp();
  await idp.addClient({ client_uri: 'https://shop.example/' }, 'shop');
  const browser = idp.browser();
  expect((await browser.get('/signed-out?client_id=shop')).html).toContain('href="https://shop.example/"');
  const alone = await browser.get('/signed-out?client_id=nobody&client_uri=https://attacker.example/');
  expect(outcomeOf(alone)).toEqual(signedOut);
  expect(alone.html).not.toContain('attacker.example');
});

function hinted(id_token_hint: string): Form {
  return { id_token_hint, client_id: 'shop', post_logout_redirect_uri: bye };
}

/** Another subject under the old signature. */
function altered(id_token: string): string {
  const [header, payload = '', signature] = id_token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'somebody else' };
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

function unsigned(id_token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  return `${header}.${id_token.split('.')[1]}.`;
}

/** The same header and claims, signed by somebody else. */
async function foreign(id_token: string): Promise<string> {
  const [header, payload] = id_token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  const { privateKey } = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    false,
    ['sign'],
  );
  return new SignJWT(JSON.parse(payload ?? '')).setProtectedHeader(JSON.parse(header ?? '')).sign(privateKey);
}

/** All test servers begin with the same keys, so only `iss` tells. */
async function ofAnotherIssuer(): Promise<string> {
  const { idp, shop }: { idp: TestIdp; shop: Awaited<ReturnType<TestIdp['addClient']>> } = await started();
  return (await getTokens(idp, shop)).id_token;
}
