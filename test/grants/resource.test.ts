import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { basic, type Form, startIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

const api = 'https://api.example/v1';
const mail = 'https://mail.example';
const scope = 'openid email read write send';

describe('resource indicators (RFC 8707)', () => {
  test('a token for a resource is for that resource alone, with its scopes only (decisions 26, JAT-02, TOK-05, BCP-05)', async () => {
    const shop = await start();
    const { access_token, scope: granted, id_token } = await shop.tokens({ scope, resource: api });
    expect(decodeJwt(access_token)).toMatchObject({ aud: api, scope: 'read write', sub: shop.user.id });
    expect(granted).toBe('read write');
    expect(decodeJwt(id_token)).toMatchObject({ aud: 'shop', email: 'ada@example.com' });
  });

  test('userinfo refuses it: it was not issued for this server (JAT-02)', async () => {
    const shop = await start();
    const { status, headers } = await shop.idp.userinfo(
      (await shop.tokens({ scope, resource: api })).access_token,
    );
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ]);
  });

  test('without resource the token is for the issuer, without the scopes of any resource (JAT-02)', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens({ scope });
    expect(decodeJwt(access_token)).toMatchObject({ aud: shop.idp.issuer, scope: 'openid email' });
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
  });

  test('without resource, a client’s default_resource counts', async () => {
    const shop = await start({ default_resource: api });
    const { access_token } = await shop.tokens({ scope });
    expect(decodeJwt(access_token)).toMatchObject({ aud: api, scope: 'read write' });
  });

  test('two resources make a list of two; one is a string (protocol.md §30.5, RSI-01)', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens({ scope, resource: [api, mail] });
    expect(decodeJwt(access_token)).toMatchObject({ aud: [api, mail], scope: 'read write send' });
    expect((await shop.idp.userinfo(access_token)).status).toBe(401);
  });

  test('the issuer may be named beside a resource: then userinfo takes the token', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens({ scope, resource: [api, shop.idp.issuer] });
    expect(decodeJwt(access_token)).toMatchObject({ aud: [api, shop.idp.issuer] });
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
  });

  test('scheme and host are compared without case, the path with it (RSI-03)', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens({ scope, resource: 'HTTPS://API.Example/v1' });
    expect(decodeJwt(access_token).aud).toBe(api);
    const { body } = await shop.redeem(await shop.code({ scope, resource: api }), {
      resource: 'https://api.example/V1',
    });
    expect(body.error).toBe('invalid_target');
  });
});

describe('resource at the token endpoint (RFC 8707 §2.2)', () => {
  test('may be one of those that were authorized (RSI-02)', async () => {
    const shop = await start();
    const code = await shop.code({ scope, resource: [api, mail] });
    const { body } = await shop.redeem(code, { resource: mail });
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: mail, scope: 'send' });
  });

  test('a refresh mints a token for another one of them each time (RSI-02)', async () => {
    const shop = await start();
    const { refresh_token } = await shop.tokens({ scope, resource: [api, mail] });
    for (const resource of [api, mail, [api, mail]]) {
      const { body } = await shop.refresh(refresh_token, { resource });
      expect(decodeJwt(body.access_token).aud).toEqual(resource);
    }
    const { body } = await shop.refresh(refresh_token);
    expect(decodeJwt(body.access_token).aud).toEqual([api, mail]);
  });

  test.each<[string, Form, Form]>([
    ['is known but was not authorized', { resource: api }, { resource: mail }],
    ['is one more than was authorized', { resource: api }, { resource: [api, mail] }],
    ['is named although none was authorized', {}, { resource: api }],
    ['is unknown', { resource: api }, { resource: 'https://unknown.example' }],
    ['has a fragment', { resource: api }, { resource: `${api}#x` }],
    ['is relative', { resource: api }, { resource: '/v1' }],
    ['is the registered one with a slash more', { resource: api }, { resource: `${api}/` }],
  ])(
    'invalid_target where it %s; neither code nor refresh token is spent by that (RSI-02)',
    async (_, asked, named) => {
      const shop = await start();
      const code = await shop.code({ scope, ...asked });
      const refused = await shop.redeem(code, named);
      expect([refused.status, refused.body.error]).toEqual([400, 'invalid_target']);
      const { status, body } = await shop.redeem(code);
      expect(status).toBe(200);
      expect((await shop.refresh(body.refresh_token, named)).body.error).toBe('invalid_target');
      expect((await shop.refresh(body.refresh_token)).status).toBe(200);
    },
  );

  test('more than twenty of them are too many', async () => {
    const shop = await start();
    const { body } = await shop.redeem(await shop.code(), { resource: Array(21).fill(api) });
    expect(body.error).toBe('invalid_request');
  });

  test('an empty one counts as none', async () => {
    const shop = await start();
    const { body } = await shop.redeem(await shop.code({ scope }), { resource: '' });
    expect(decodeJwt(body.access_token).aud).toBe(shop.idp.issuer);
  });
});

test('a client asks for itself for a resource, and gets that resource’s scopes of its own', async () => {
  const idp = await startIdp();
  await idp.addResource(api, 'read', 'write');
  const metadata = { grant_types: ['client_credentials'], redirect_uris: [], scope: 'read send' };
  const { client_secret } = await idp.addClient(metadata, 'batch');
  const form = { grant_type: 'client_credentials', resource: api };
  const { body } = await idp.token(form, basic('batch', client_secret));
  expect(decodeJwt(body.access_token)).toMatchObject({ aud: api, scope: 'read', sub: 'batch' });
});

describe('a token request that names a scope and would get nothing of it (RFC 6749 §5.2)', () => {
  const invalid = [400, 'invalid_scope'];

  test('of a client for itself: the scope is of an API that it does not name', async () => {
    const idp = await startIdp();
    await idp.addResource(api, 'read');
    await idp.addResource(mail, 'send');
    const { client_secret } = await idp.addClient(
      { grant_types: ['client_credentials'], redirect_uris: [], scope: 'read send' },
      'batch',
    );
    for (const [asked, expected] of [
      [{ scope: 'read' }, invalid],
      [{ scope: 'send', resource: api }, invalid],
      [{ scope: 'read send', resource: api }, [200, undefined]],
    ] as const) {
      const form = { grant_type: 'client_credentials', ...asked };
      const { status, body } = await idp.token(form, basic('batch', client_secret));
      expect([asked, status, body.error]).toEqual([asked, ...expected]);
    }
  });

  test('of a refresh token: the scope is of another API, or of none; the token stays good', async () => {
    const shop = await start();
    const { refresh_token } = await shop.tokens({ scope, resource: [api, mail] });
    for (const asked of [{ scope: 'read', resource: mail }, { scope: 'invented' }]) {
      const { status, body } = await shop.refresh(refresh_token, asked);
      expect([asked, status, body.error]).toEqual([asked, ...invalid]);
    }
    expect((await shop.refresh(refresh_token, { scope: 'openid', resource: api })).status).toBe(200);
  });

  test('of a code that was given for no scope: the answer has none, and none that is empty (§3.3)', async () => {
    const shop = await start();
    const { body } = await shop.redeem(await shop.code({ scope: 'openid', resource: api }));
    expect([body.id_token, Object.keys(body).includes('scope')]).toEqual([expect.any(String), false]);
  });
});

async function start(metadata: object = {}) {
  const shop = await startShop({ metadata: { scope, ...metadata } });
  await shop.idp.addResource(api, 'read', 'write');
  await shop.idp.addResource(mail, 'send');
  return shop;
}
