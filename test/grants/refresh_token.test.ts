import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { refresh } from '../support/flow.js';
import type { Form } from '../support/idp.js';
import { publicClient, startShop } from '../support/shop.js';

const day = 86_400;

describe('grant_type=refresh_token', () => {
  test('gives new tokens that nobody may keep a copy of (RFC 6749 §6, HTTP-09, TOK-01)', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens({ scope: 'openid email' });
    const { status, headers, body } = await shop.refresh(refresh_token);
    expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([
      200,
      'no-store',
      'no-cache',
    ]);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid email' });
    expect((await shop.idp.userinfo(body.access_token)).body.email).toBe('ada@example.com');
  });

  test('the ID token is of the same sign-in, with a new iat and without the nonce (OIDC Core §12.2, IDT-13)', async () => {
    const shop = await startShop();
    const first = await shop.tokens({ nonce: 'n1' });
    shop.idp.advance(300);
    const second = await shop.refresh(first.refresh_token);
    const before = decodeJwt(first.id_token);
    const { iss, sub, aud, auth_time, sid, acr, amr } = before;
    expect(before.nonce).toBe('n1');
    const after = decodeJwt(second.body.id_token);
    expect(after).toMatchObject({ iss, sub, aud, auth_time, sid, acr, amr, iat: Number(before.iat) + 300 });
    expect(after).not.toHaveProperty('nonce');
  });

  test('a confidential client keeps the token it has, and uses it again and again', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens();
    for (const seconds of [0, 1, 60, 3600]) {
      shop.idp.advance(seconds);
      const { status, body } = await shop.refresh(refresh_token);
      expect([status, body.refresh_token]).toEqual([200, undefined]);
    }
  });

  test('the claims that were asked for by name are given again', async () => {
    const shop = await startShop({ metadata: { id_token_claims: 'minimal' } });
    const claims = JSON.stringify({ userinfo: { name: null }, id_token: { email: null } });
    const { body } = await shop.refresh((await shop.tokens({ claims })).refresh_token);
    expect(decodeJwt(body.id_token)).toMatchObject({ email: 'ada@example.com' });
    expect((await shop.idp.userinfo(body.access_token)).body).toMatchObject({ name: 'Ada Lovelace' });
  });

  test.each<[string, Form, string]>([
    ['refresh_token is missing', { refresh_token: undefined }, 'invalid_request'],
    ['refresh_token is empty', { refresh_token: '' }, 'invalid_request'],
    ['refresh_token is sent twice', { refresh_token: ['a', 'b'] }, 'invalid_request'],
    ['refresh_token is nothing of ours', { refresh_token: 'x' }, 'invalid_grant'],
    ['scope is wider than what was granted (RFT-02)', { scope: 'openid email' }, 'invalid_scope'],
    ['scope holds a quote', { scope: 'openid "' }, 'invalid_scope'],
    ['scope is sent twice', { scope: ['openid', 'openid'] }, 'invalid_request'],
    ['resource is unknown', { resource: 'https://api.example' }, 'invalid_target'],
  ])('refuses when %s, and the token is not used up by that', async (_, change, error) => {
    const shop = await startShop({ metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    const refused = await shop.refresh(refresh_token, change);
    expect([refused.status, refused.body.error]).toEqual([400, error]);
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });

  test('a confidential client must authenticate (RFT-01)', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens();
    const { status, body } = await shop.idp.token({
      grant_type: 'refresh_token',
      refresh_token,
      client_id: 'shop',
    });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test.each([
    ['confidential', {}],
    ['public', publicClient],
  ])(
    'another %s client presents the token: invalid_grant, and nothing is revoked (§6; §10.4, RFT-01)',
    async (_, metadata) => {
      const shop = await startShop({ metadata: publicClient });
      const thief = await shop.idp.addClient(metadata, 'thief');
      const { refresh_token, access_token } = await shop.tokens();
      const stolen = await refresh(shop.idp, thief, refresh_token);
      expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);
      expect((await shop.idp.userinfo(access_token)).status).toBe(200);
      expect((await shop.refresh(refresh_token)).status).toBe(200);
    },
  );

  test('an access token, an ID token or a code is no refresh token', async () => {
    const shop = await startShop();
    const { access_token, id_token } = await shop.tokens();
    for (const token of [access_token, id_token, await shop.code()])
      expect((await shop.refresh(token)).body.error).toBe('invalid_grant');
  });
});

describe('the scope of a refresh', () => {
  test('may be narrower; the refresh token keeps the original one (RFC 6749 §6, RFT-02)', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens({ scope: 'openid email profile' });
    const narrow = await shop.refresh(refresh_token, { scope: 'openid' });
    expect(narrow.body.scope).toBe('openid');
    expect((await shop.idp.userinfo(narrow.body.access_token)).body).toEqual({ sub: shop.user.id });
    expect(decodeJwt(narrow.body.id_token)).not.toHaveProperty('email');
    expect((await shop.refresh(refresh_token)).body.scope).toBe('openid email profile');
  });

  test('without openid there is no ID token (COD-07)', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens({ scope: 'openid email' });
    const { body } = await shop.refresh(refresh_token, { scope: 'email' });
    expect([body.scope, body.id_token]).toEqual(['email', undefined]);
  });

  test.each([
    ['a word that no client has', { scope: 'openid email invented' }, {}],
    ['a word that this client may not have', { scope: 'openid email phone' }, { scope: 'openid email' }],
    ['offline_access without openid, which was not granted', { scope: 'email offline_access' }, {}],
  ])(
    '%s was ignored in the authorization request, and is ignored here (protocol.md §30.4)',
    async (_, asked, metadata) => {
      const shop = await startShop({ metadata });
      const { refresh_token, scope } = await shop.tokens(asked);
      const { status, body } = await shop.refresh(refresh_token, asked);
      expect([status, body.scope]).toEqual([200, scope]);
    },
  );

  test.each([
    ['a word that no client has', 'invented', {}],
    ['a word that this client may not have', 'phone', { scope: 'openid email' }],
    ['a word that was not asked for', 'profile', {}],
    ['offline_access', 'offline_access', {}],
  ])(
    '%s, asked for here for the first time, is invalid_scope, and uses nothing up (RFT-02)',
    async (_, word, metadata) => {
      const shop = await startShop({ metadata: { refresh_token_rotation: true, ...metadata } });
      const { refresh_token } = await shop.tokens({ scope: 'openid email' });
      const { status, body } = await shop.refresh(refresh_token, { scope: `openid ${word}` });
      expect([status, body.error, body.error_description]).toEqual([
        400,
        'invalid_scope',
        `scope ${word} was not granted`,
      ]);
      const again = await shop.refresh(refresh_token, { scope: 'openid' });
      expect([again.status, again.body.scope]).toEqual([200, 'openid']);
    },
  );

  test('a word that was granted, and is not registered for the client any more, is left out', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens({ scope: 'openid email' });
    await updateClient(shop.idp.deps, 'shop', { scope: 'openid' }, shop.idp.now());
    const { status, body } = await shop.refresh(refresh_token, { scope: 'openid email' });
    expect([status, body.scope]).toEqual([200, 'openid']);
  });

  test('words come in any order and may be repeated', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens({ scope: 'openid email' });
    expect((await shop.refresh(refresh_token, { scope: 'email openid email' })).status).toBe(200);
  });
});

describe('the life of a refresh token', () => {
  test('ends at a time that no use moves (decisions 8)', async () => {
    const settings = { REFRESH_TOKEN_SECONDS: '3600' };
    const shop = await startShop({ metadata: publicClient, settings });
    let { refresh_token } = await shop.tokens({ scope: 'openid offline_access' });
    shop.idp.advance(3599);
    refresh_token = (await shop.refresh(refresh_token)).body.refresh_token;
    shop.idp.advance(1);
    const { status, body } = await shop.refresh(refresh_token);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('an access token that it gave at the last moment is good for its own time', async () => {
    const shop = await startShop({ settings: { REFRESH_TOKEN_SECONDS: '3600' } });
    const { refresh_token } = await shop.tokens();
    shop.idp.advance(3599);
    const { body } = await shop.refresh(refresh_token);
    shop.idp.advance(599);
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
  });

  test('an application that refreshes keeps the session awake', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens();
    for (const _ of [1, 2, 3]) {
      shop.idp.advance(day - 1);
      expect((await shop.refresh(refresh_token)).status).toBe(200);
    }
    expect((await shop.browser.get('/')).html).toContain('ada@example.com');
  });

  test('ends with the session by itself, idle or at its limit, unless it is offline_access (RFT-06)', async () => {
    const shop = await startShop();
    const bound = await shop.tokens();
    const offline = await shop.tokens({ scope: 'openid offline_access' });
    shop.idp.advance(day);
    const { status, body } = await shop.refresh(bound.refresh_token);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    expect((await shop.refresh(offline.refresh_token)).status).toBe(200);
  });
});
