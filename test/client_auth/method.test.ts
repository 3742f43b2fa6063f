import { describe, expect, test } from 'vitest';
import { assertionOf, client_assertion_type, newClientKey } from '../support/assertion.js';
import { getCode, redeem } from '../support/flow.js';
import { basic, code_verifier, type Form, redirect_uri, startIdp } from '../support/idp.js';
import { publicClient, startShop } from '../support/shop.js';

const grant = { grant_type: 'client_credentials' };
const clientKey = await newClientKey();

describe('the registered way of client authentication is the only one (CLA-01)', () => {
  const registered = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
  const pairs = registered.flatMap((mine) => registered.map((used) => [mine, used] as const));

  test.each(pairs)('a client registered for %s that uses %s', async (mine, used) => {
    const { ask } = await start(mine);
    const { status, body } = await ask(used);
    const expected = mine === used ? [200, undefined] : [401, 'invalid_client'];
    expect([status, body.error]).toEqual(expected);
  });
});

describe('two ways at once are refused: which of them would count? (RFC 6749 §2.3, CLA-01)', () => {
  test.each<[string, Form, boolean]>([
    ['Basic and a secret in the body', { client_secret: 'secret' }, true],
    ['Basic and an assertion', { client_assertion_type, client_assertion: 'a.b.c' }, true],
    [
      'a secret and an assertion in the body',
      { client_id: 'shop', client_secret: 'secret', client_assertion_type, client_assertion: 'e30.e30.c' },
      false,
    ],
  ])('%s', async (_, form, header) => {
    const idp = await startIdp();
    const { client_secret } = await idp.addClient({}, 'shop');
    const good = await assertionOf(idp, 'shop', clientKey);
    const sent = form.client_assertion === undefined ? form : { ...form, client_assertion: good };
    const { status, body } = await idp.token(
      { ...grant, ...sent, client_id: 'shop' },
      header ? basic('shop', client_secret) : {},
    );
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('nobody authenticates', () => {
  test('without anything: 401 invalid_client (CLA-01)', async () => {
    const idp = await startIdp();
    const { status, headers, body } = await idp.token(grant);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('with a session cookie: people are no clients', async () => {
    const shop = await startShop();
    await shop.code();
    const cookie = [...shop.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    expect((await shop.idp.token({ ...grant, client_id: 'shop' }, { cookie })).body.error).toBe(
      'invalid_client',
    );
  });

  test.each(['%', '\u0000', 'a b', 'é', 'x'.repeat(300), '__proto__', "' or 1=1 --"])(
    'with the client_id %j',
    async (client_id) => {
      const idp = await startIdp();
      const { status, body } = await idp.token({ ...grant, client_id });
      expect([status, body.error]).toEqual(
        client_id === '\u0000' ? [400, 'invalid_request'] : [401, 'invalid_client'],
      );
    },
  );
});

describe('none', () => {
  test('a public client names itself, and PKCE is what protects it (CLA-04)', async () => {
    const shop = await startShop({ metadata: publicClient });
    const code = await shop.code();
    expect((await shop.redeem(code, { code_verifier: undefined })).body.error).toBe('invalid_grant');
    expect((await shop.redeem(code)).status).toBe(200);
  });

  test('a public client that sends no client_id is nobody', async () => {
    const shop = await startShop({ metadata: publicClient });
    const { status, body } = await shop.redeem(await shop.code(), { client_id: undefined });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('an empty client_secret is as good as none (RFC 6749 §3.2)', async () => {
    const shop = await startShop({ metadata: publicClient });
    expect((await shop.redeem(await shop.code(), { client_secret: '' })).status).toBe(200);
  });

  test('a public client with an Authorization header of any kind is refused', async () => {
    const shop = await startShop({ metadata: publicClient });
    const form = { grant_type: 'authorization_code', code: await shop.code(), redirect_uri };
    const { status, headers, body } = await shop.idp.token(
      { ...form, client_id: 'shop' },
      { authorization: 'Bearer x' },
    );
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(headers.get('www-authenticate')).toMatch(/^Basic/);
  });
});

test('the credentials of A with the client_id of B are nobody’s (CLA-12)', async () => {
  const idp = await startIdp();
  const a = await idp.addClient({}, 'a');
  await idp.addClient({}, 'b');
  const { status, body } = await idp.token({ ...grant, client_id: 'b' }, basic('a', a.client_secret));
  expect([status, body.error]).toEqual([401, 'invalid_client']);
});

test('a confidential client that only names itself gets no tokens (CLA-12)', async () => {
  const shop = await startShop();
  const stolen = { ...shop.shop, client_secret: null };
  const { status, body } = await redeem(shop.idp, stolen, await shop.code());
  expect([status, body.error]).toEqual([401, 'invalid_client']);
});

/** A client registered for one way, which asks for tokens by any way with credentials that are good for it. */
async function start(token_endpoint_auth_method: string) {
  const confidential = token_endpoint_auth_method !== 'none';
  const idp = await startIdp();
  await idp.addUser();
  const { client_secret } = await idp.addClient(
    {
      token_endpoint_auth_method,
      grant_types: confidential ? ['client_credentials'] : ['authorization_code'],
      redirect_uris: [redirect_uri],
      jwks: { keys: [clientKey.jwk] },
    },
    'shop',
  );
  const ask = async (used: string) => {
    const client_id = 'shop';
    const code = confidential ? undefined : await getCode(idp.browser(), client_id);
    const form = confidential
      ? grant
      : { grant_type: 'authorization_code', code, redirect_uri, code_verifier };
    if (used === 'client_secret_basic') return idp.token(form, basic(client_id, client_secret ?? 'secret'));
    if (used === 'client_secret_post')
      return idp.token({ ...form, client_id, client_secret: client_secret ?? 'secret' });
    if (used === 'none') return idp.token({ ...form, client_id });
    const client_assertion = await assertionOf(idp, client_id, clientKey);
    return idp.token({ ...form, client_assertion_type, client_assertion });
  };
  return { ask };
}
