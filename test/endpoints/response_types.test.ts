/** What each response type gives out, and to whom. OAuth 2.0 Multiple Response Type Encoding Practices; OpenID Connect Core §3.2, §3.3. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { responseTypeNames } from '../../src/oauth/response_types.js';
import * as clients from '../../src/store/clients.js';
import { answerOf, ask, countIn, kindOf, signedInBrowser } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { redeem, signIn } from '../support/flow.js';
import {
  askFor,
  claimsOf,
  every_response_type,
  fragmentOf,
  startFrontChannel,
} from '../support/front_channel.js';
import { basic, type JsonAnswer, post, redirect_uri, startIdp } from '../support/idp.js';
import { come, pushed } from '../support/pushed.js';

const frontChannel = responseTypeNames.filter((name) => name.includes('token'));
const halfOf = (text: string | undefined) =>
  createHash('sha256')
    .update(text ?? '')
    .digest()
    .subarray(0, 16)
    .toString('base64url');

describe.each(engines)('on %s', (engine) => {
  test.each(frontChannel)(
    '%s gives out just that, in the fragment (AUT-12, AUT-24, IDT-06)',
    async (type) => {
      const { idp, user } = await startFrontChannel(type, { engine });
      const page = await ask(await signedInBrowser(idp), 'shop', askFor(type));
      const { code, access_token, id_token, ...rest } = fragmentOf(page);
      const words = type.split(' ');
      expect([code, access_token, id_token].map((one) => one !== undefined)).toEqual(
        ['code', 'token', 'id_token'].map((word) => words.includes(word)),
      );
      expect(rest).toEqual({
        ...(access_token !== undefined && { token_type: 'Bearer', expires_in: '600', scope: 'openid' }),
        state: 's1',
        iss: idp.issuer,
      });
      if (id_token === undefined) return;
      const claims = claimsOf(id_token);
      expect(claims).toMatchObject({ iss: idp.issuer, aud: 'shop', sub: user.id, nonce: 'n1' });
      expect(claims.at_hash).toBe(access_token && halfOf(access_token));
      expect(claims.c_hash).toBe(code && halfOf(code));
      expect(claims.s_hash).toBeUndefined();
    },
  );

  test('none gives out nothing, after login and consent (AUT-26)', async () => {
    const { idp, browser } = await startFrontChannel('none', { engine, metadata: { first_party: false } });
    const before = await countIn(idp, 'authorizations');
    const login = await ask(browser, 'shop', { response_type: 'none' });
    expect(kindOf(login)).toBe('/login');
    const consent = await signIn(browser, login);
    expect(kindOf(consent)).toBe('/consent');
    const page = await browser.submit(consent, { action: 'allow' });
    expect(answerOf(page)).toEqual({ state: 's1', iss: idp.issuer });
    expect(await countIn(idp, 'authorizations')).toBe(before);
  });

  test('an access token of the fragment works, and dies with the session (RFT-06)', async () => {
    const { idp } = await startFrontChannel('id_token token', { engine });
    const browser = await signedInBrowser(idp);
    const { access_token = '' } = fragmentOf(await ask(browser, 'shop', askFor('id_token token')));
    expect((await idp.userinfo(access_token)).status).toBe(200);
    const logout = await browser.get('/logout');
    await browser.submit(logout, { action: 'sign_out' });
    expect((await idp.userinfo(access_token)).status).toBe(401);
  });

  test('in the hybrid flow both ID tokens say the same of whom and when (IDT-09)', async () => {
    const { idp, shop } = await startFrontChannel('code id_token token', { engine });
    const page = await ask(await signedInBrowser(idp), 'shop', askFor('code id_token token'));
    const first = fragmentOf(page);
    idp.advance(5);
    const { status, body } = await redeem(idp, shop, first.code ?? '');
    expect(status).toBe(200);
    const [front, back] = [claimsOf(first.id_token), claimsOf(body.id_token)];
    for (const claim of ['iss', 'sub', 'aud', 'nonce', 'auth_time', 'acr', 'amr', 'sid'])
      expect([claim, front[claim]]).toEqual([claim, back[claim]]);
    expect((await idp.userinfo(first.access_token ?? '')).body.sub).toBe(front.sub);
  });

  test('a code that is used twice takes the tokens of its response along (RFC 6749 §4.1.2)', async () => {
    const { idp, shop } = await startFrontChannel('code token', { engine });
    const response = fragmentOf(await ask(await signedInBrowser(idp), 'shop', askFor('code token')));
    await redeem(idp, shop, response.code ?? '');
    expect((await idp.userinfo(response.access_token ?? '')).status).toBe(200);
    await redeem(idp, shop, response.code ?? '');
    expect((await idp.userinfo(response.access_token ?? '')).status).toBe(401);
  });

  test('a pushed request of any type is used once (PAR-07)', async () => {
    for (const type of ['none', 'id_token', 'code id_token']) {
      const { idp, shop } = await startFrontChannel(type, { engine });
      const browser = await signedInBrowser(idp);
      const request_uri = await pushed(idp, shop, askFor(type));
      const first = await come(browser, 'shop', request_uri);
      expect(first.headers.get('location')).not.toContain('error');
      expect((await come(browser, 'shop', request_uri)).headers.get('location')).toContain(
        'error=invalid_request_uri',
      );
    }
  });
});

describe('an ID token of the response', () => {
  test('has the claims of the scopes where there is nothing else to ask, and else not (IDT-08)', async () => {
    for (const [type, told] of [
      ['id_token', true],
      ['id_token token', false],
      ['code id_token', false],
    ] as const) {
      const { idp } = await startFrontChannel(type, { user: { claims: { name: 'Ada Lovelace' } } });
      const changes = askFor(type, { scope: 'openid profile email' });
      const claims = claimsOf(fragmentOf(await ask(await signedInBrowser(idp), 'shop', changes)).id_token);
      expect([type, claims.name, claims.email]).toEqual([
        type,
        ...(told ? ['Ada Lovelace', 'ada@example.com'] : [undefined, undefined]),
      ]);
    }
  });

  test('has what claims asks for by name (IDT-08)', async () => {
    const { idp } = await startFrontChannel('code id_token');
    const changes = askFor('code id_token', { claims: '{"id_token":{"email":null}}' });
    const page = await ask(await signedInBrowser(idp), 'shop', { ...changes, scope: 'openid email' });
    expect(claimsOf(fragmentOf(page).id_token).email).toBe('ada@example.com');
  });

  test.each(frontChannel)('%s: nonce is required where there is one, else not (AUT-11)', async (type) => {
    const { idp } = await startFrontChannel(type);
    const page = await ask(await signedInBrowser(idp), 'shop', askFor(type, { nonce: undefined }));
    expect(fragmentOf(page).error).toBe(type.includes('id_token') ? 'invalid_request' : undefined);
  });

  test('needs the scope openid', async () => {
    const { idp } = await startFrontChannel('code id_token');
    const page = await ask(await signedInBrowser(idp), 'shop', askFor('code id_token', { scope: 'email' }));
    expect(fragmentOf(page)).toMatchObject({ error: 'invalid_request', state: 's1' });
  });
});

describe('of a client with the profile of FAPI 1', () => {
  test.each([
    ['what state hashes to, where one was sent', 'x'.repeat(40)],
    ['no s_hash, where none was sent', undefined],
  ])('an ID token of the response has %s (IDT-07)', async (_, state) => {
    const { idp, shop } = await startFrontChannel('code id_token');
    // It cannot be registered before tokens are bound to keys.
    const bank = { ...shop.client, security_profile: 'fapi_1_advanced' as const, updated_at: idp.now() + 1 };
    await idp.db.transaction((trx) => clients.update(trx, bank, shop.client.updated_at));
    await idp.restart();
    const browser = await signedInBrowser(idp);
    const request_uri = await pushed(idp, shop, askFor('code id_token', { state }));
    const response = fragmentOf(await come(browser, 'shop', request_uri));
    expect(response.state).toBe(state);
    expect(claimsOf(response.id_token).s_hash).toBe(state && halfOf(state));
  });
});

describe('a response type', () => {
  test.each(responseTypeNames.filter((name) => name !== 'code'))(
    '%s is off unless a setting says so: unsupported_response_type (AUT-06, BCP-03)',
    async (type) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      const page = await ask(idp.browser(), 'shop', askFor(type));
      expect(page.headers.get('location')).toContain('error=unsupported_response_type');
    },
  );

  test.each(responseTypeNames.filter((name) => name !== 'code'))(
    '%s that the client is not registered for: unauthorized_client (AUT-06)',
    async (type) => {
      const idp = await startIdp({ settings: { RESPONSE_TYPES: every_response_type } });
      await idp.addClient({}, 'shop');
      const page = await ask(idp.browser(), 'shop', askFor(type));
      expect(page.headers.get('location')).toContain('error=unauthorized_client');
    },
  );

  test('may have its words in any order (AUT-06)', async () => {
    const { idp } = await startFrontChannel('code id_token token');
    const page = await ask(await signedInBrowser(idp), 'shop', askFor('token code id_token'));
    expect(Object.keys(fragmentOf(page))).toEqual(
      expect.arrayContaining(['code', 'id_token', 'access_token']),
    );
  });

  test.each(frontChannel)(
    '%s: an error holds no code and no token, and is in the fragment (AUT-12, AUT-23)',
    async (type) => {
      const { idp } = await startFrontChannel(type);
      for (const changes of [{ prompt: 'none' }, { response_mode: 'query' }, { max_age: 'x' }]) {
        const page = await ask(idp.browser(), 'shop', askFor(type, changes));
        expect(Object.keys(fragmentOf(page))).toEqual([
          'error',
          'error_description',
          'error_uri',
          'state',
          'iss',
        ]);
      }
    },
  );

  test('without a code gives no offline access, and the token endpoint knows no implicit grant (INT-14)', async () => {
    const { idp, shop } = await startFrontChannel('id_token token', {
      metadata: { grant_types: ['implicit'], scope: 'openid offline_access' },
    });
    const changes = askFor('id_token token', { scope: 'openid offline_access' });
    const { scope, refresh_token } = fragmentOf(await ask(await signedInBrowser(idp), 'shop', changes));
    expect([scope, refresh_token]).toEqual(['openid', undefined]);
    const { status, body } = await idp.token({ grant_type: 'implicit' }, basic('shop', shop.client_secret));
    expect([status, body.error]).toEqual([400, 'unsupported_grant_type']);
  });

  test('of tokens alone needs no PKCE, one with a code does', async () => {
    for (const [type, error] of [
      ['id_token', undefined],
      ['code id_token', 'invalid_request'],
    ] as const) {
      const { idp } = await startFrontChannel(type);
      const without = { code_challenge: undefined, code_challenge_method: undefined };
      const page = await ask(await signedInBrowser(idp), 'shop', askFor(type, without));
      expect([type, fragmentOf(page).error]).toEqual([type, error]);
    }
  });

  test('that was taken away while the person signed in is refused (hardening 22)', async () => {
    const { idp, browser } = await startFrontChannel('id_token');
    const login = await ask(browser, 'shop', askFor('id_token'));
    const changes = { response_types: ['code'], grant_types: ['authorization_code'] };
    await updateClient(idp.deps, 'shop', changes, idp.now());
    expect(fragmentOf(await signIn(browser, login)).error).toBe('unauthorized_client');
  });

  test('of tokens for a resource has that audience and its scopes, and a removed one is invalid_target', async () => {
    const { idp } = await startFrontChannel('id_token token', { metadata: { scope: 'openid read' } });
    await idp.addResource('https://api.example', 'read');
    const changes = askFor('id_token token', { resource: 'https://api.example', scope: 'openid read' });
    const { access_token, scope } = fragmentOf(await ask(await signedInBrowser(idp), 'shop', changes));
    expect([claimsOf(access_token).aud, scope]).toEqual(['https://api.example', 'read']);
  });

  test('is given out by form_post too, with nothing in the address (AUT-13)', async () => {
    const { idp } = await startFrontChannel('code id_token');
    const page = await ask(
      await signedInBrowser(idp),
      'shop',
      askFor('code id_token', { response_mode: 'form_post' }),
    );
    expect([page.status, page.headers.get('location')]).toEqual([200, null]);
    expect(Object.keys(answerOf(page))).toEqual(['code', 'id_token', 'state', 'iss']);
  });
});

test('an access token of the response can be revoked alone, and its status says so (RFC 7009)', async () => {
  const { idp, shop } = await startFrontChannel('code token');
  const response = fragmentOf(await ask(await signedInBrowser(idp), 'shop', askFor('code token')));
  const token = response.access_token ?? '';
  expect(claimsOf(token).status).toBeDefined();
  await post(`${idp.url}/revoke`, { token }, basic('shop', shop.client_secret));
  expect((await idp.userinfo(token)).status).toBe(401);
  expect((await redeem(idp, shop, response.code ?? '')).status).toBe(200);
});

test.each([
  ['code', ['authorization_code', 'refresh_token', 'client_credentials']],
  ['code,none', ['authorization_code', 'refresh_token', 'client_credentials']],
  ['code, token id_token', ['authorization_code', 'refresh_token', 'client_credentials', 'implicit']],
  ['code, code', ['authorization_code', 'refresh_token', 'client_credentials']],
])(
  'discovery lists the response types that are on, and their grants: %s (DSC-07)',
  async (setting, grants) => {
    const idp = await startIdp({ settings: { RESPONSE_TYPES: setting } });
    const metadata = (await (
      await idp.fetch('/.well-known/openid-configuration')
    ).json()) as JsonAnswer['body'];
    const canonical = setting.split(',').map((type) => type.trim().split(' ').sort().join(' '));
    expect(metadata.response_types_supported).toEqual([...new Set(canonical)]);
    expect(metadata.grant_types_supported.toSorted()).toEqual(grants.toSorted());
  },
);

test('the redirect URI keeps its query, and what is given out stands behind the # (AUT-05)', async () => {
  const uri = `${redirect_uri}?x=1`;
  const { idp } = await startFrontChannel('id_token', { metadata: { redirect_uris: [uri] } });
  const page = await ask(await signedInBrowser(idp), 'shop', askFor('id_token', { redirect_uri: uri }));
  expect(page.headers.get('location')).toMatch(/^https:\/\/shop\.example\/cb\?x=1#id_token=/);
});
