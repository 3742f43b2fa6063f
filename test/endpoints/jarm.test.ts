/** Authorization responses in a signed JWT. JWT Secured Authorization Response Mode for OAuth 2.0; protocol.md §14. */
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { ensureKeysFor } from '../../src/actions/keys.js';
import { answerOf, ask, signedInBrowser } from '../support/authorize.js';
import type { Page } from '../support/browser.js';
import { redeem } from '../support/flow.js';
import { askFor, fragmentOf, startFrontChannel } from '../support/front_channel.js';
import type { TestIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

/** The claims of a response as a client verifies it. */
async function verified(idp: TestIdp, response: string | undefined) {
  const keys = createRemoteJWKSet(new URL(`${idp.url}/jwks`));
  const options = { issuer: idp.issuer, audience: 'shop', currentDate: new Date(idp.now() * 1000) };
  return (await jwtVerify(response ?? '', keys, options)).payload;
}

const read = (mode: string, page: Page) => (mode.startsWith('fragment') ? fragmentOf(page) : answerOf(page));

describe('a response of code', () => {
  test.each(['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])(
    'by %s is one parameter, a JWT that holds all of it (JRM-01, JRM-02, JRM-03)',
    async (response_mode) => {
      const { idp, shop } = await startShop();
      const page = await ask(await signedInBrowser(idp), 'shop', { response_mode });
      const sent = read(response_mode, page);
      expect(Object.keys(sent)).toEqual(['response']);
      const { code, exp, ...claims } = await verified(idp, sent.response);
      expect(claims).toEqual({ iss: idp.issuer, aud: 'shop', state: 's1' });
      expect(exp).toBe(idp.now() + 300);
      expect(decodeProtectedHeader(sent.response ?? '')).toMatchObject({
        alg: 'RS256',
        kid: expect.any(String),
      });
      expect((await redeem(idp, shop, String(code))).status).toBe(200);
    },
  );

  test.each(['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])(
    'by %s tells errors the same way (JRM-02)',
    async (response_mode) => {
      const { idp } = await startShop();
      for (const changes of [{ prompt: 'none' }, { max_age: 'x' }, { scope: '"' }, { response_type: 'x' }]) {
        const sent = read(response_mode, await ask(idp.browser(), 'shop', { response_mode, ...changes }));
        expect(Object.keys(sent)).toEqual(['response']);
        expect(await verified(idp, sent.response)).toEqual({
          ...{ iss: idp.issuer, aud: 'shop', state: 's1', exp: idp.now() + 300 },
          ...{ error: expect.any(String), error_description: expect.any(String) },
        });
      }
    },
  );

  test('is signed with the algorithm that the client registered (JRM-02)', async () => {
    const { idp } = await startShop();
    await ensureKeysFor(idp.deps, ['PS256'], idp.now());
    await idp.addClient({ authorization_signed_response_alg: 'PS256' }, 'bank');
    const page = await ask(await signedInBrowser(idp), 'bank', { response_mode: 'jwt' });
    expect(decodeProtectedHeader(answerOf(page).response ?? '').alg).toBe('PS256');
  });

  test('tells by the same mode that the person did not agree (INT-10)', async () => {
    const { idp, browser } = await startShop();
    const page = await browser.submit(await ask(browser, 'shop', { response_mode: 'jwt' }), {
      action: 'cancel',
    });
    expect(await verified(idp, answerOf(page).response)).toMatchObject({
      error: 'access_denied',
      state: 's1',
    });
  });
});

describe('a response of tokens', () => {
  test('by jwt is in the fragment (JRM-01)', async () => {
    const { idp } = await startFrontChannel('code id_token');
    const changes = askFor('code id_token', { response_mode: 'jwt' });
    const sent = fragmentOf(await ask(await signedInBrowser(idp), 'shop', changes));
    expect(Object.keys(sent)).toEqual(['response']);
    expect(await verified(idp, sent.response)).toMatchObject({
      ...{ code: expect.any(String), id_token: expect.any(String), state: 's1' },
    });
  });

  test('by query.jwt is refused, in the fragment (JRM-03)', async () => {
    const { idp } = await startFrontChannel('code id_token');
    const changes = askFor('code id_token', { response_mode: 'query.jwt' });
    const sent = fragmentOf(await ask(await signedInBrowser(idp), 'shop', changes));
    expect(await verified(idp, sent.response)).toMatchObject({ error: 'invalid_request', state: 's1' });
  });
});

test('a response in a JWT is no ID token: it is no hint (RFC 8725 §3.11)', async () => {
  const { idp } = await startShop();
  const browser = await signedInBrowser(idp);
  const { response } = answerOf(await ask(browser, 'shop', { response_mode: 'jwt' }));
  expect(answerOf(await ask(browser, 'shop', { id_token_hint: response })).error).toBe('invalid_request');
});
