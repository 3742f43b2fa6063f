/** What is signed and encrypted as each client registered it, with jose as the client. OpenID Connect Core §10. */
import {
  compactDecrypt,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { type JweAlg, jweAlgs, jweEncs, jwsAlgs } from '../../src/oauth/algorithms.js';
import { halfHash } from '../../src/tokens/id_token.js';
import { signLogoutToken } from '../../src/tokens/logout_token.js';
import { ask, codeOf } from '../support/authorize.js';
import { basic, post, type TestIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { type Shop, startShop } from '../support/shop.js';

/** Verifies a JWT as an application does that knows the issuer, its own id and the algorithm it registered. */
async function verify(idp: TestIdp, jwt: string, alg: string) {
  const set = (await (await idp.fetch('/jwks')).json()) as JSONWebKeySet;
  const options = { issuer: idp.issuer, audience: 'shop', algorithms: [alg] };
  return jwtVerify(jwt, createLocalJWKSet(set), {
    ...options,
    currentDate: new Date(idp.now() * 1000),
  });
}

async function introspect({ idp, shop }: Shop, token: string, headers: Record<string, string> = {}) {
  const authorized = { ...basic('shop', shop.client_secret), ...headers };
  return post(`${idp.url}/introspect`, { token }, authorized);
}

/** A key pair of a client, to encrypt to. */
async function newPair(alg: JweAlg, kid = 'e1') {
  const pair = await generateKeyPair(alg, { extractable: true });
  const { kty = '', ...members } = await exportJWK(pair.publicKey);
  const open = async (jwe: string) => {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, pair.privateKey);
    return { text: new TextDecoder().decode(plaintext), header: protectedHeader };
  };
  return { jwk: { kty, ...members, kid, use: 'enc' }, open };
}

describe.each(jwsAlgs)('a client that registered %s', (alg) => {
  const metadata = {
    id_token_signed_response_alg: alg,
    userinfo_signed_response_alg: alg,
    introspection_signed_response_alg: alg,
  };

  test('gets ID tokens, userinfo, introspection and logout tokens signed with it (IDT-02, UIF-04, INS-04, BCL-02, REG-15)', async () => {
    const shop = await startShop({ metadata });
    const { idp } = shop;
    const { id_token, access_token } = await shop.tokens({ nonce: 'n', scope: 'openid email' });
    const token = await verify(idp, id_token, alg);
    expect(token.protectedHeader).toEqual({ alg, typ: 'JWT', kid: expect.any(String) });
    expect(token.payload).toMatchObject({ sub: shop.user.id, at_hash: halfHash(access_token, alg) });
    expect(decodeProtectedHeader(access_token).alg).toBe('RS256');

    const userinfo = await idp.userinfo(access_token);
    expect([userinfo.status, userinfo.headers.get('content-type')]).toEqual([200, 'application/jwt']);
    expect(userinfo.headers.get('cache-control')).toBe('no-store');
    const about = await verify(idp, userinfo.body, alg);
    expect(about.payload).toEqual({
      ...{ iss: idp.issuer, aud: 'shop', iat: idp.now(), sub: shop.user.id },
      ...{ email: 'ada@example.com', email_verified: true },
    });

    const introspected = await introspect(shop, access_token);
    expect(introspected.headers.get('content-type')).toBe('application/token-introspection+jwt');
    const { payload, protectedHeader } = await verify(idp, introspected.body, alg);
    expect(protectedHeader.typ).toBe('token-introspection+jwt');
    expect(payload.token_introspection).toMatchObject({ active: true, sub: shop.user.id });

    const deps = { ...idp.deps, ring: await idp.deps.keys.get() };
    const request = { client: shop.shop.client, user_id: shop.user.id, sid: 's' };
    const logout_token = await signLogoutToken(deps, request, idp.now());
    expect((await verify(idp, logout_token, alg)).protectedHeader.typ).toBe('logout+jwt');
  });
});

describe('a client that registered nothing', () => {
  test('gets RS256, plain userinfo and, if it asks for them, introspection answers signed with RS256 (IDT-02)', async () => {
    const shop = await startShop();
    const { id_token, access_token } = await shop.tokens();
    expect(decodeProtectedHeader(id_token).alg).toBe('RS256');
    expect((await shop.idp.userinfo(access_token)).headers.get('content-type')).toMatch(/^application\/json/);
    const accept = { accept: 'application/token-introspection+jwt' };
    const { body } = await introspect(shop, access_token, accept);
    expect((await verify(shop.idp, body, 'RS256')).payload).toHaveProperty('token_introspection');
  });
});

test('a change of the algorithm counts from the next token on, and hints of both are good', async () => {
  const { idp, browser, tokens } = await startShop();
  const before = await tokens();
  await updateClient(idp.deps, 'shop', { id_token_signed_response_alg: 'ES384' }, idp.now());
  idp.advance(1);
  const after = await tokens();
  expect([before, after].map(({ id_token }) => decodeProtectedHeader(id_token).alg)).toEqual([
    'RS256',
    'ES384',
  ]);
  for (const { id_token } of [before, after])
    expect(codeOf(await ask(browser, 'shop', { prompt: 'none', id_token_hint: id_token }))).not.toBe('');
});

test('a signed answer of userinfo is no ID token: it is refused as a hint (hardening 20)', async () => {
  const { idp, browser, tokens } = await startShop({ metadata: { userinfo_signed_response_alg: 'RS256' } });
  const { access_token } = await tokens();
  const id_token_hint = (await idp.userinfo(access_token)).body;
  const answer = await ask(browser, 'shop', { prompt: 'none', id_token_hint });
  expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request');
});

describe('a client that wants encryption', () => {
  test.each(jweAlgs.map((alg, i) => [alg, jweEncs[i % jweEncs.length]] as const))(
    'with %s and %s gets everything signed, then encrypted to its key (IDT-12, UIF-04, BCL-03)',
    async (alg, enc) => {
      const { jwk, open } = await newPair(alg);
      const response = (purpose: string) => ({
        [`${purpose}_encrypted_response_alg`]: alg,
        [`${purpose}_encrypted_response_enc`]: enc,
      });
      const metadata = {
        ...{ ...response('id_token'), ...response('userinfo'), ...response('introspection') },
        ...{ id_token_signed_response_alg: 'ES256', jwks: { keys: [jwk] } },
      };
      const shop = await startShop({ metadata });
      const { id_token, access_token } = await shop.tokens();
      const token = await open(id_token);
      const { epk, ...header } = token.header;
      expect(header).toEqual({ alg, enc, kid: 'e1', cty: 'JWT' });
      expect((await verify(shop.idp, token.text, 'ES256')).payload.sub).toBe(shop.user.id);

      const userinfo = await shop.idp.userinfo(access_token);
      expect(userinfo.headers.get('content-type')).toBe('application/jwt');
      const about = await verify(shop.idp, (await open(userinfo.body)).text, 'RS256');
      expect(about.payload.sub).toBe(shop.user.id);

      const { text } = await open((await introspect(shop, access_token)).body);
      expect((await verify(shop.idp, text, 'RS256')).payload.token_introspection).toMatchObject({
        active: true,
      });

      const deps = { ...shop.idp.deps, ring: await shop.idp.deps.keys.get() };
      const request = { client: shop.shop.client, user_id: shop.user.id, sid: 's' };
      const logout = await open(await signLogoutToken(deps, request, shop.idp.now()));
      expect(decodeJwt(logout.text)).toMatchObject({ aud: 'shop', sid: 's' });
    },
  );

  test('gets A128CBC-HS256 where it names no enc (OpenID Connect Registration §2)', async () => {
    const { jwk, open } = await newPair('ECDH-ES');
    const shop = await startShop({
      metadata: { id_token_encrypted_response_alg: 'ECDH-ES', jwks: { keys: [jwk] } },
    });
    expect((await open((await shop.tokens()).id_token)).header.enc).toBe('A128CBC-HS256');
  });

  test('has the key that is for encryption, and for this algorithm, taken out of many', async () => {
    const [right, other, rsa] = [
      await newPair('ECDH-ES', 'right'),
      await newPair('ECDH-ES', 'other'),
      await newPair('RSA-OAEP-256', 'rsa'),
    ];
    const { use, ...unmarked } = other.jwk;
    const keys = [
      { ...other.jwk, use: 'sig' },
      { ...other.jwk, alg: 'ECDH-ES+A256KW' },
      unmarked,
      rsa.jwk,
      { ...right.jwk, alg: 'ECDH-ES' },
    ];
    const shop = await startShop({
      metadata: { id_token_encrypted_response_alg: 'ECDH-ES', jwks: { keys } },
    });
    expect((await right.open((await shop.tokens()).id_token)).header.kid).toBe('right');
  });

  test('at its jwks_uri has the key fetched anew when it changed, and loses no code while it cannot be fetched', async () => {
    const jwks_uri = 'https://shop.example/jwks';
    const fetched = replies();
    const [one, two] = [await newPair('RSA-OAEP-256', 'one'), await newPair('RSA-OAEP-256', 'two')];
    const metadata = { id_token_encrypted_response_alg: 'RSA-OAEP-256', jwks_uri };
    const shop = await startShop({ metadata, substitutes: { outbound: fetched.outbound } });
    const code = await shop.code();
    const down = await shop.redeem(code);
    expect([down.status, down.body.error]).toEqual([503, 'temporarily_unavailable']);
    fetched.set(jwks_uri, { keys: [{ ...one.jwk, use: 'sig' }] });
    shop.idp.advance(5);
    const unfit = await shop.redeem(code);
    expect([unfit.status, unfit.body.error]).toEqual([400, 'invalid_request']);
    shop.idp.advance(5);
    fetched.set(jwks_uri, { keys: [one.jwk] });
    expect((await one.open((await shop.redeem(code)).body.id_token)).header.kid).toBe('one');
    fetched.set(jwks_uri, { keys: [two.jwk] });
    shop.idp.advance(60);
    expect((await two.open((await shop.tokens()).id_token)).header.kid).toBe('two');
  });
});
