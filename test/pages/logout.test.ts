import { describe, expect, test } from 'vitest';
import { authorizeUrl, getTokens, redeem, refresh, responseOf } from '../support/flow.js';
import { type Form, startIdp } from '../support/idp.js';
import {
  bye,
  byeWithQuery,
  isSignedIn,
  logoutUrl,
  outcomeOf,
  refused,
  signedOut,
  started,
} from '../support/sign_out.js';

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

  test('somebody whose session has ended already goes back without a question (RIL-06)', async () => {
    const { idp, browser, id_token_hint } = await started();
    idp.advance(idp.config.SESSION_IDLE_SECONDS + 1);
    const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, state: 's1' }));
    expect(outcomeOf(page)).toEqual(['sent away', `${bye}?state=s1`]);
  });

  test('a state of 2,048 characters, which comes back byte for byte (RIL-03)', async () => {
    const { browser, id_token_hint } = await started();
    const state = `~'*!()%20+ü${'x'.repeat(2037)}`;
    const page = await browser.get(logoutUrl({ id_token_hint, post_logout_redirect_uri: bye, state }));
    expect(responseOf(page)).toEqual({ state });
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
