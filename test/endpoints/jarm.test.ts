/** Authorization responses in a signed JWT. JWT Secured Authorization Response Mode for OAuth 2.0; protocol.md §14. */
import {
  compactDecrypt,
  createRemoteJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
} from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { answerOf, ask, countIn, expectErrorPage, signedInBrowser } from '../support/authorize.js';
import type { Page } from '../support/browser.js';
import { redeem, signIn } from '../support/flow.js';
import { askFor, fragmentOf, startFrontChannel } from '../support/front_channel.js';
import type { TestIdp } from '../support/idp.js';
import { come, pushed } from '../support/pushed.js';
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
          ...{
            error: expect.any(String),
            error_description: expect.any(String),
            error_uri: expect.any(String),
          },
        });
      }
    },
  );

  test('is signed with the algorithm that the client registered (JRM-02)', async () => {
    const { idp } = await startShop();
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

describe('for a client that wants it encrypted', () => {
  const alg = 'ECDH-ES';

  async function startEncrypting() {
    const pair = await generateKeyPair(alg, { extractable: true });
    const { kty = '', ...members } = await exportJWK(pair.publicKey);
    const shop = await startFrontChannel('code id_token', {
      metadata: {
        authorization_encrypted_response_alg: alg,
        id_token_encrypted_response_alg: alg,
        jwks: { keys: [{ kty, ...members, kid: 'e1', alg, use: 'enc' }] },
      },
    });
    const open = async (jwe: unknown) =>
      new TextDecoder().decode((await compactDecrypt(String(jwe), pair.privateKey)).plaintext);
    return { ...shop, open };
  }

  test('a response is signed, then encrypted, and may carry tokens in a query (JRM-02, JRM-03)', async () => {
    const { idp, open } = await startEncrypting();
    const changes = askFor('code id_token', { response_mode: 'query.jwt' });
    const { response = '' } = answerOf(await ask(await signedInBrowser(idp), 'shop', changes));
    expect(decodeProtectedHeader(response)).toMatchObject({ alg, kid: 'e1', cty: 'JWT' });
    const { code, id_token } = await verified(idp, await open(response));
    expect(code).toEqual(expect.any(String));
    expect(await verified(idp, await open(id_token))).toMatchObject({
      nonce: 'n1',
      c_hash: expect.any(String),
    });
  });

  test('while the login page is open the client loses its key: nothing is in a query that everybody can read (hardening 22)', async () => {
    const { idp } = await startEncrypting();
    const browser = idp.browser();
    const changes = askFor('code id_token', { response_mode: 'query.jwt' });
    const login = await ask(browser, 'shop', changes);
    await updateClient(idp.deps, 'shop', { authorization_encrypted_response_alg: undefined }, idp.now());
    const sent = fragmentOf(await signIn(browser, login));
    expect(await verified(idp, sent.response)).toMatchObject({ error: 'invalid_request', state: 's1' });
  });

  test('a query that everybody can read stays refused (AUT-12)', async () => {
    const { idp } = await startEncrypting();
    const changes = askFor('code id_token', { response_mode: 'query' });
    expect(fragmentOf(await ask(idp.browser(), 'shop', changes)).error).toBe('invalid_request');
  });

  test('nothing is used up where its keys cannot be fetched', async () => {
    const { idp } = await startShop();
    const jwks_uri = 'https://shop.example/jwks';
    const bank = await idp.addClient({ jwks_uri, authorization_encrypted_response_alg: alg }, 'bank');
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, bank, { response_mode: 'jwt' });
    const before = await countIn(idp, 'authorizations');
    expectErrorPage(await come(browser, 'bank', request_uri), 503);
    expect(await countIn(idp, 'authorizations')).toBe(before);
  });
});

test('a response in a JWT is no ID token: it is no hint (RFC 8725 §3.11)', async () => {
  const { idp } = await startShop();
  const browser = await signedInBrowser(idp);
  const { response } = answerOf(await ask(browser, 'shop', { response_mode: 'jwt' }));
  expect(answerOf(await ask(browser, 'shop', { id_token_hint: response })).error).toBe('invalid_request');
});
