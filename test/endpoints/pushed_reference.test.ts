import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { deleteExpired } from '../../src/store/expired.js';
import { answerOf, codeOf, countIn, expectErrorPage, kindOf, signedInBrowser } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { goodRequest, redeem, responseOf, signIn } from '../support/flow.js';
import { type Form, redirect_uri } from '../support/idp.js';
import { come, push, pushed } from '../support/pushed.js';
import { atOnce, publicClient, startShop } from '../support/shop.js';

const kinds = [
  ['a confidential client', {}],
  ['a public client', publicClient],
] as const;

describe.each(engines)('on %s, a reference', (engine) => {
  test.each(kinds)('of %s leads to a code for what was pushed (PAR-05)', async (_, metadata) => {
    const { idp, shop, browser } = await startShop({ engine, metadata });
    const request_uri = await pushed(idp, shop, { state: 'inside', nonce: 'n1' });
    const page = await signIn(browser, await come(browser, 'shop', request_uri));
    expect(responseOf(page)).toMatchObject({ state: 'inside', iss: idp.issuer });
    expect((await redeem(idp, shop, codeOf(page))).status).toBe(200);
  });

  test.each(kinds)(
    'of %s is used when the authorization completes, not when its page is loaded (PAR-07)',
    async (_, metadata) => {
      const { idp, shop, browser } = await startShop({ engine, metadata });
      const request_uri = await pushed(idp, shop);
      for (let again = 0; again < 3; again += 1)
        expect(kindOf(await come(browser, 'shop', request_uri))).toBe('/login');
      const page = await come(browser, 'shop', request_uri);
      expect(codeOf(await signIn(browser, page))).not.toBe('');
      expect(answerOf(await come(browser, 'shop', request_uri))).toMatchObject({
        error: 'invalid_request_uri',
        state: 's1',
      });
      // Back to the login page: what was sealed there is used, too.
      expect(answerOf(await signIn(browser, page))).toMatchObject({ error: 'invalid_request_uri' });
    },
  );

  test.each(kinds)('of %s has one winner (PAR-07)', async (_, metadata) => {
    const { idp, shop } = await startShop({ engine, metadata });
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, shop);
    const answers = await atOnce(10, async () => answerOf(await come(browser, 'shop', request_uri)));
    expect(answers.filter(({ code }) => code !== undefined)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_request_uri')).toHaveLength(9);
  });

  test.each(kinds)(
    'of %s that was used is remembered as long as a page of it can be open',
    async (_, metadata) => {
      const { idp, shop, browser } = await startShop({ engine, metadata });
      const login = await come(browser, 'shop', await pushed(idp, shop));
      await signIn(browser, login);
      for (const seconds of [50, 800, 2700]) {
        idp.advance(seconds);
        await deleteExpired(idp.db, idp.now());
        expect(answerOf(await signIn(browser, login))).toMatchObject({ error: 'invalid_request_uri' });
      }
      idp.advance(200);
      await deleteExpired(idp.db, idp.now());
      expect(answerOf(await signIn(browser, login))).toMatchObject({ error: 'invalid_request_uri' });
      expect(await countIn(idp, 'pushed_requests')).toBe(0);
    },
  );
});

describe('a reference', () => {
  test.each<[string, Form]>([
    ['state', { state: 'outside' }],
    ['nonce', { nonce: 'outside' }],
    ['redirect_uri', { redirect_uri: 'https://evil.example/' }],
    ['scope', { scope: 'openid email' }],
    ['response_type', { response_type: 'x' }],
    ['all of it', { ...goodRequest, state: 'outside' }],
  ])('counts, and %s beside it does not (PAR-05)', async (_, beside) => {
    const { idp, shop } = await startShop();
    const browser = await signedInBrowser(idp);
    const page = await come(browser, 'shop', await pushed(idp, shop, { state: undefined }), beside);
    expect(page.headers.get('location')).toMatch(`${redirect_uri}?code=`);
    expect(Object.keys(answerOf(page))).toEqual(['code', 'iss']);
  });

  test('may come by POST', async () => {
    const { idp, shop } = await startShop();
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, shop);
    expect(codeOf(await browser.post('/authorize', { client_id: 'shop', request_uri }))).not.toBe('');
  });

  test.each(kinds)('of %s is no other client’s (PAR-04)', async (_, metadata) => {
    const { idp, shop } = await startShop({ metadata });
    await idp.addClient({}, 'other');
    const browser = await signedInBrowser(idp);
    expectErrorPage(await come(browser, 'other', await pushed(idp, shop)));
  });

  test.each(['', 'x', 'x'.repeat(43), `${'x'.repeat(22)}.${'x'.repeat(100)}`, 'x'.repeat(9000)])(
    'that is unknown gives a page (PAR-06): %s',
    async (reference) => {
      const { idp } = await startShop();
      const request_uri = `urn:ietf:params:oauth:request_uri:${reference}`;
      expectErrorPage(await come(idp.browser(), 'shop', request_uri, { ...goodRequest }));
    },
  );

  test.each(kinds)(
    'of %s that has expired: the client is told, as long as it is known where (PAR-06)',
    async (_, metadata) => {
      const { idp, shop } = await startShop({ metadata });
      const request_uri = await pushed(idp, shop);
      idp.advance(59);
      expect(kindOf(await come(idp.browser(), 'shop', request_uri))).toBe('/login');
      idp.advance(1);
      expect(answerOf(await come(idp.browser(), 'shop', request_uri))).toMatchObject({
        error: 'invalid_request_uri',
        state: 's1',
        iss: idp.issuer,
      });
      idp.advance(100);
      await deleteExpired(idp.db, idp.now());
      const later = await come(idp.browser(), 'shop', request_uri);
      if (metadata === publicClient) expect(answerOf(later).error).toBe('invalid_request_uri');
      else expectErrorPage(later);
    },
  );

  test('lives as long as the setting says', async () => {
    const { idp, shop } = await startShop({ settings: { PUSHED_REQUEST_SECONDS: '5' } });
    expect((await push(idp, shop)).body.expires_in).toBe(5);
  });

  test('may be answered long after it was loaded: the person takes their time', async () => {
    const { idp, shop, browser } = await startShop();
    const login = await come(browser, 'shop', await pushed(idp, shop));
    idp.advance(600);
    await deleteExpired(idp.db, idp.now());
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('beside a request object: invalid_request (AUT-16)', async () => {
    const { idp, shop } = await startShop();
    const page = await come(idp.browser(), 'shop', await pushed(idp, shop), { request: 'e30.e30.' });
    expect(answerOf(page)).toMatchObject({ error: 'invalid_request', state: 's1' });
  });

  test('says no more than the client may do now (hardening 22)', async () => {
    const { idp, shop } = await startShop();
    const request_uri = await pushed(idp, shop);
    await updateClient(idp.deps, 'shop', { redirect_uris: ['https://shop.example/new'] }, idp.now());
    expectErrorPage(await come(idp.browser(), 'shop', request_uri));
  });
});
