import { describe, expect, test } from 'vitest';
import { engines } from '../support/database.js';
import { basic, type Form, post } from '../support/idp.js';
import { eventsOf, publicClient, type Shop, type ShopOptions, startShop } from '../support/shop.js';
import { bitOf } from '../support/status.js';

async function start(options: ShopOptions = {}) {
  const shop = await startShop(options);
  const own = basic('shop', shop.shop.client_secret);
  return {
    ...shop,
    revoke: (form: Form, headers: Record<string, string> = own) =>
      post(`${shop.idp.url}/revoke`, form, headers),
  };
}

describe.each(engines)('revocation on %s', (engine) => {
  test('of an access token ends it at userinfo and in the status list, and leaves the refresh token (REV-03, UIF-08)', async () => {
    const { idp, tokens, revoke, refresh } = await start({ engine });
    const { access_token, refresh_token } = await tokens();
    expect((await revoke({ token: access_token })).status).toBe(200);
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect(await bitOf(idp, access_token)).toBe(1);
    const fresh = (await refresh(refresh_token ?? '')).body;
    expect((await idp.userinfo(fresh.access_token)).status).toBe(200);
    expect(await bitOf(idp, fresh.access_token)).toBe(0);
  });

  test('of a refresh token ends all that came of the grant (REV-03)', async () => {
    const { idp, tokens, revoke, refresh } = await start({ engine });
    const { access_token, refresh_token = '' } = await tokens();
    expect((await revoke({ token: refresh_token, token_type_hint: 'access_token' })).status).toBe(200);
    expect((await refresh(refresh_token)).body.error).toBe('invalid_grant');
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect(await bitOf(idp, access_token)).toBe(1);
  });

  test('of a token by twenty at once is one', async () => {
    const { idp, tokens, revoke } = await start({ engine });
    const { access_token } = await tokens();
    const answers = await Promise.all(Array.from({ length: 20 }, () => revoke({ token: access_token })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await bitOf(idp, access_token)).toBe(1);
    expect(await bitOf(idp, (await tokens()).access_token)).toBe(0);
  });

  test('of a token that a client got for itself ends all of these, and those to come are good', async () => {
    const shop = await start({ engine });
    const { client_secret } = await shop.idp.addClient(
      { grant_types: ['client_credentials'], redirect_uris: [], scope: 'a' },
      'batch',
    );
    const batch = basic('batch', client_secret);
    const ask = async () =>
      (await shop.idp.token({ grant_type: 'client_credentials' }, batch)).body.access_token as string;
    const old = await ask();
    const others = [await ask(), await ask()];
    const answers = await Promise.all([old, old, ...others].map((token) => shop.revoke({ token }, batch)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await eventsOf(shop.idp, 'client_tokens_revoked')).toHaveLength(1);
    expect([await bitOf(shop.idp, old), await bitOf(shop.idp, await ask())]).toEqual([1, 0]);
  });
});

test('a public client revokes with its client_id alone (REV-01)', async () => {
  const { idp, tokens, revoke } = await start({ metadata: publicClient });
  const { access_token } = await tokens();
  expect((await revoke({ token: access_token, client_id: 'shop' }, {})).status).toBe(200);
  expect((await idp.userinfo(access_token)).status).toBe(401);
});

test.each<[string, (shop: Shop) => Promise<Form> | Form, number, string | undefined]>([
  ['token is missing (REV-02)', () => ({}), 400, 'invalid_request'],
  ['token is unknown (REV-01)', () => ({ token: 'nothing' }), 200, undefined],
  [
    'token is an ID token (REV-02)',
    async (shop) => ({ token: (await shop.tokens()).id_token }),
    400,
    'unsupported_token_type',
  ],
  ['token is sent twice', () => ({ token: ['a', 'b'] }), 400, 'invalid_request'],
])('%s', async (_, form, status, error) => {
  const shop = await start();
  const answer = await shop.revoke(await form(shop));
  expect([answer.status, answer.body.error]).toEqual([status, error]);
});

test("another client's token: 400, and it stays valid (REV-02)", async () => {
  const { idp, tokens, revoke, refresh } = await start();
  const { client_secret } = await idp.addClient({}, 'blog');
  const { access_token, refresh_token = '' } = await tokens();
  for (const token of [access_token, refresh_token])
    expect((await revoke({ token }, basic('blog', client_secret))).body.error).toBe('unauthorized_client');
  expect((await idp.userinfo(access_token)).status).toBe(200);
  expect((await refresh(refresh_token)).status).toBe(200);
});

test('without client authentication: 401 (REV-01)', async () => {
  const { revoke, tokens } = await start();
  const { access_token } = await tokens();
  expect((await revoke({ token: access_token }, {})).body.error).toBe('invalid_client');
  expect((await revoke({ token: access_token }, basic('shop', 'wrong'))).status).toBe(401);
});

test("a script of a client's origin may call it (REV-03)", async () => {
  const { idp, revoke, shop } = await start();
  const own = basic('shop', shop.client_secret);
  const { headers } = await revoke({ token: 'x' }, { ...own, origin: 'https://shop.example' });
  expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
  const preflight = await idp.fetch('/revoke', {
    method: 'OPTIONS',
    headers: { origin: 'https://shop.example' },
  });
  expect(preflight.status).toBe(204);
});
