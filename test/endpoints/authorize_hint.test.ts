import { createPublicKey, type JsonWebKey } from 'node:crypto';
import {
  CompactEncrypt,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { describe, expect, test } from 'vitest';
import { rotateDueKeys, rotateSigningKey } from '../../src/actions/keys.js';
import { answerOf, ask, codeOf, headingOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import { attribute } from '../support/browser.js';
import { authorizeUrl, redeem, signIn } from '../support/flow.js';
import { formBody, startIdp, type TestIdp } from '../support/idp.js';

const bob = { email: 'bob@example.com' };

/** Ada is signed in, and the shop has an ID token of hers; Bob exists. */
async function start() {
  const idp = await startIdp();
  await idp.addUser();
  const other = await idp.addUser(bob);
  const shop = await idp.addClient({}, 'shop');
  const browser = await signedInBrowser(idp);
  const tokens = await redeem(idp, shop, codeOf(await ask(browser, 'shop', { scope: 'openid email' })));
  const { id_token, access_token } = tokens.body;
  return {
    idp,
    shop,
    browser,
    id_token: String(id_token),
    access_token: String(access_token),
    bobs_sub: other.id,
  };
}

describe('id_token_hint (INT-07)', () => {
  test.each(methods)('of who is signed in, with prompt=none: silent success, by %s', async (method) => {
    const { browser, id_token } = await start();
    const page = await ask(browser, 'shop', { prompt: 'none', id_token_hint: id_token }, method);
    expect(codeOf(page)).not.toBe('');
  });

  test('may have expired', async () => {
    const { idp, browser, id_token } = await start();
    idp.advance(3600);
    expect(decodeJwt(id_token).exp).toBeLessThan(idp.now());
    expect(codeOf(await ask(browser, 'shop', { prompt: 'none', id_token_hint: id_token }))).not.toBe('');
  });

  test('may have been signed with a key that is retired', async () => {
    const { idp, browser, id_token } = await start();
    const kid = await rotateSigningKey(idp.deps, { at_once: true }, idp.now());
    idp.advance(3600);
    expect(decodeProtectedHeader(id_token).kid).not.toBe(kid);
    expect(codeOf(await ask(browser, 'shop', { prompt: 'none', id_token_hint: id_token }))).not.toBe('');
  });

  test('may come from another client of this server', async () => {
    const { idp, browser, id_token } = await start();
    await idp.addClient({}, 'blog');
    expect(codeOf(await ask(browser, 'blog', { id_token_hint: id_token }))).not.toBe('');
  });

  test.each(['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'])(
    'may be encrypted to this server with %s (OpenID Connect Core §3.1.2.1)',
    async (alg) => {
      const { idp, browser, id_token } = await start();
      await rotateDueKeys(idp.deps, idp.now());
      const encrypt = async (text: string) => {
        const { keys } = (await (await idp.fetch('/jwks')).json()) as JSONWebKeySet;
        const jwk = keys.find((key) => key.alg === alg && key.use === 'enc') ?? {};
        return new CompactEncrypt(Buffer.from(text))
          .setProtectedHeader({ alg, enc: 'A128CBC-HS256', cty: 'JWT', kid: jwk.kid ?? '' })
          .encrypt(await importJWK(jwk, alg));
      };
      const hint = { prompt: 'none', id_token_hint: await encrypt(id_token) };
      expect(codeOf(await ask(browser, 'shop', hint))).not.toBe('');
      for (const wrong of ['no token', `${id_token.slice(0, -9)}AAAAAAAAA`, await encrypt(id_token)]) {
        const { error } = answerOf(await ask(browser, 'shop', { id_token_hint: await encrypt(wrong) }));
        expect(error).toBe('invalid_request');
      }
      const signed_out = await browser.get(`/logout?${formBody({ id_token_hint: hint.id_token_hint })}`);
      expect(headingOf(signed_out)).toBe('You are signed out');
    },
  );

  type Forge = (id_token: string, idp: TestIdp) => Promise<string> | string;
  test.each<[string, Forge]>([
    ['is no JWT', () => 'hint'],
    ['is cut off', (token) => token.slice(0, -10)],
    ['has no signature', (token) => token.replace(/[^.]*$/, '')],
    ['says alg none', (token) => new UnsecuredJWT(decodeJwt(token)).encode()],
    ['has its sub changed', (token) => resign(token, (claims) => ({ ...claims, sub: 'somebody' }))],
    ['is signed by a foreign key that takes the name of ours', (token) => signWithForeignKey(token)],
    ['is an HMAC under our public key (hardening 19)', signWithPublicKey],
    [
      'was signed for another issuer',
      (token, idp) => signOurselves(idp, { ...decodeJwt(token), iss: 'https://id.example' }),
    ],
    ['has no sub', (token, idp) => signOurselves(idp, { ...decodeJwt(token), sub: undefined })],
    ['is longer than any JWT', (token) => `${token}${'A'.repeat(16_384)}`],
  ])('is invalid_request when it %s', async (_, forge) => {
    const { idp, browser, id_token } = await start();
    for (const prompt of ['none', undefined]) {
      const id_token_hint = await forge(id_token, idp);
      const answer = answerOf(await ask(browser, 'shop', { id_token_hint, prompt }, 'POST'));
      expect(answer).toMatchObject({ error: 'invalid_request', state: 's1', iss: idp.issuer });
    }
  });

  test('is invalid_request when it is an access token (hardening 20)', async () => {
    const { browser, access_token } = await start();
    const answer = answerOf(await ask(browser, 'shop', { id_token_hint: access_token }));
    expect(answer.error).toBe('invalid_request');
  });
});

describe('id_token_hint of another user than the one who is signed in', () => {
  async function startAsBob() {
    const { idp, shop, id_token, bobs_sub } = await start();
    return { idp, shop, bobs_sub, id_token_hint: id_token, browser: await signedInBrowser(idp, bob.email) };
  }

  test('with prompt=none: login_required', async () => {
    const { browser, id_token_hint } = await startAsBob();
    expect(answerOf(await ask(browser, 'shop', { id_token_hint, prompt: 'none' })).error).toBe(
      'login_required',
    );
  });

  test('otherwise the password, and whoever it is for gets in', async () => {
    const { idp, shop, browser, id_token_hint } = await startAsBob();
    const login = await ask(browser, 'shop', { id_token_hint });
    expect(kindOf(login)).toBe('/login');
    const { body } = await redeem(idp, shop, codeOf(await signIn(browser, login)));
    expect(decodeJwt(body.id_token).sub).toBe(decodeJwt(id_token_hint).sub);
  });

  test('whoever signs in as somebody else is sent back with login_required, without a loop', async () => {
    const { browser, id_token_hint } = await startAsBob();
    const login = await ask(browser, 'shop', { id_token_hint });
    expect(answerOf(await signIn(browser, login, bob)).error).toBe('login_required');
  });

  test('and a login_hint: the hint by token counts, the other one only fills the field (INT-07, AUT-20)', async () => {
    const { browser, id_token_hint } = await startAsBob();
    const login = await ask(browser, 'shop', { id_token_hint, login_hint: bob.email });
    expect(emailField(login.html)).toBe(bob.email);
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });

  test('and a claims.sub that contradicts it: no answer for either', async () => {
    const { browser, id_token_hint, bobs_sub } = await startAsBob();
    const changes = { id_token_hint, claims: JSON.stringify({ id_token: { sub: { value: bobs_sub } } }) };
    expect(answerOf(await ask(browser, 'shop', { ...changes, prompt: 'none' })).error).toBe('login_required');
    for (const email of [bob.email, 'ada@example.com']) {
      const page = await signIn(browser, await ask(browser, 'shop', changes), { email });
      expect(answerOf(page).error).toBe('login_required');
    }
  });
});

describe('login_hint (AUT-20)', () => {
  test.each(methods)('pre-fills the field, by %s', async (method) => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const page = await ask(idp.browser(), 'shop', { login_hint: 'ada@example.com' }, method);
    expect(emailField(page.html)).toBe('ada@example.com');
  });

  test.each(['"><script>alert(1)</script>', "' onfocus='alert(1)", '<%= 1 %>', '&quot;&#34;'])(
    'escaped: %s (hardening 17)',
    async (login_hint) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      const { html } = await ask(idp.browser(), 'shop', { login_hint });
      expect(emailField(html)).toBe(login_hint);
      expect(html).not.toContain('<script>alert');
    },
  );

  test('is only a hint: whoever signs in gets in', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const login = await ask(browser, 'shop', { login_hint: 'bob@example.com' });
    expect(codeOf(await signIn(browser, login))).not.toBe('');
  });
});

test.each([
  ['de', 'de'],
  ['tlh', 'en'],
  ['"><script>', 'en'],
])(
  'ui_locales %s: the page is in the first language of ours, or else in the default, and says so (AUT-19)',
  async (ui_locales, language) => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const { html } = await idp.browser().get(authorizeUrl('shop', { ui_locales }));
    expect(html).toContain(`<html lang="${language}" dir="ltr">`);
  },
);

function emailField(html: string): string {
  return attribute(/<input id="email"[^>]*>/.exec(html)?.[0] ?? '', 'value');
}

/** Changes the claims and keeps the signature. */
function resign(token: string, change: (claims: JWTPayload) => JWTPayload): string {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify(change(decodeJwt(token)))).toString('base64url');
  return [header, payload, signature].join('.');
}

async function signWithForeignKey(token: string): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  const { kid = '' } = decodeProtectedHeader(token);
  return new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid }).sign(privateKey);
}

async function signWithPublicKey(token: string, idp: TestIdp): Promise<string> {
  const { keys } = (await (await idp.fetch('/jwks')).json()) as { keys: JsonWebKey[] };
  const [key = {}] = keys;
  const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const { kid = '' } = decodeProtectedHeader(token);
  const header = { alg: 'HS256', typ: 'JWT', kid };
  return new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(Buffer.from(pem));
}

async function signOurselves(idp: TestIdp, claims: object): Promise<string> {
  return (await idp.deps.keys.get()).sign('JWT', claims, idp.now());
}
