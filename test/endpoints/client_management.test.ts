import { describe, expect, test } from 'vitest';
import { disableClient, removeClient, updateClient } from '../../src/actions/clients.js';
import * as clients from '../../src/store/clients.js';
import { engines } from '../support/database.js';
import { authorizeUrl, getCode, redeem, responseOf, signIn } from '../support/flow.js';
import { basic, startIdp, type TestIdp } from '../support/idp.js';
import { cb, good, initialToken, manage, register, registered, startOpen } from '../support/registration.js';
import { eventsOf } from '../support/shop.js';

const other = 'https://app.example/other';

describe('GET of a registration', () => {
  test('tells what is registered, and not the secret (REG-05, REG-12)', async () => {
    const idp = await startOpen();
    const said = { ...good, initiate_login_uri: 'https://app.example/start', 'client_name#de': 'Anwendung' };
    const { body: told } = await register(idp, said);
    const { status, headers, body } = await manage(idp, told);
    const { client_secret, client_secret_expires_at, ...rest } = told;
    expect([status, headers.get('cache-control'), body]).toEqual([200, 'no-store', rest]);
    expect(body).toMatchObject(said);
  });

  test('works on when registration is closed', async () => {
    const idp = await startOpen();
    const client = await registered(idp);
    expect((await manage(idp, client)).status).toBe(200);
    const closed = await startIdp();
    expect((await manage(closed, client)).status).toBe(401);
  });
});

describe('PUT of a registration (RFC 7592 §2.2)', () => {
  test('is counted with registrations where no token vouches for it: each is a row that stays (REG-07)', async () => {
    const idp = await startOpen({ settings: { CLIENT_REGISTRATIONS_PER_SOURCE: '3' } });
    const vouched = await registered(idp, {}, { token: await initialToken(idp) });
    const client = await registered(idp);
    const change = async (of = client) =>
      manage(idp, of, { method: 'PUT', body: { ...good, client_id: of.client_id } });
    for (const status of [200, 200, 429]) expect((await change()).status).toBe(status);
    const { status, headers, body } = await change();
    expect([status, body.error]).toEqual([429, 'temporarily_unavailable']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await eventsOf(idp, 'client_updated')).toHaveLength(2);
    expect((await change(vouched)).status).toBe(200);
    expect((await manage(idp, client)).status).toBe(200);
    expect((await manage(idp, client, { method: 'DELETE' })).status).toBe(204);
  });

  test('replaces all: what is left out is gone, or has its default (REG-05)', async () => {
    const idp = await startOpen();
    const client = await registered(idp, {
      'client_name#de': 'Anwendung',
      policy_uri: 'https://app.example/privacy',
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid',
    });
    const { client_id, client_secret } = client;
    const body = { client_id, client_secret, client_name: 'New', redirect_uris: [other] };
    const answer = await manage(idp, client, { method: 'PUT', body });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      client_id,
      client_name: 'New',
      redirect_uris: [other],
      grant_types: ['authorization_code'],
      scope: 'openid profile email address phone offline_access',
      registration_access_token: client.registration_access_token,
    });
    for (const gone of ['policy_uri', 'client_name#de', 'client_secret'])
      expect(answer.body).not.toHaveProperty([gone]);
    expect((await manage(idp, client)).body).toEqual(answer.body);
    const page = await idp.browser().get(authorizeUrl(client_id, { redirect_uri: cb }));
    expect(page.status).toBe(400);
  });

  test.each<[string, object]>([
    ['without client_id', { client_id: undefined }],
    ['with the client_id of another', { client_id: 'other' }],
    ['with a token of its choice (REG-05)', { registration_access_token: 'mine' }],
    ['with an address of its choice', { registration_client_uri: 'https://app.example/' }],
    ['with another end of its secret', { client_secret_expires_at: 0 }],
    ['with another time of issue', { client_id_issued_at: 1 }],
    ['with a secret of its choice', { client_secret: 'mine' }],
    ['with a secret that is no text', { client_secret: 5 }],
    ['with bad metadata', { grant_types: ['password'] }],
    ['with client_credentials, as a stranger', { grant_types: ['authorization_code', 'client_credentials'] }],
  ])('is refused %s (REG-05)', async (_, change) => {
    const idp = await startOpen();
    const client = await registered(idp);
    const before = await clients.find(idp.db, client.client_id);
    const body = { client_id: client.client_id, ...good, redirect_uris: [other], ...change };
    const answer = await manage(idp, client, { method: 'PUT', body });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_client_metadata']);
    expect(await clients.find(idp.db, client.client_id)).toEqual(before);
  });

  test('makes a secret where one is needed now, and drops one that is not', async () => {
    const idp = await startOpen();
    const client = await registered(idp, { token_endpoint_auth_method: 'none' });
    const body = { client_id: client.client_id, ...good };
    const confidential = await manage(idp, client, { method: 'PUT', body });
    expect(confidential.body).toMatchObject({
      client_secret: expect.stringMatching(/^[\w-]{43}$/),
      client_secret_expires_at: 0,
    });
    await manage(idp, client, { method: 'PUT', body: { ...body, token_endpoint_auth_method: 'none' } });
    expect((await clients.find(idp.db, client.client_id))?.client_secret_hash).toBeNull();
  });

  test('leaves what the operator set, and gives no more than they did', async () => {
    const idp = await startOpen();
    const client = await registered(idp);
    const set = { first_party: true, id_token_claims: 'scope', scope: 'openid jobs:run' };
    await updateClient(idp.deps, client.client_id, set, idp.now());
    const body = { client_id: client.client_id, ...good, scope: 'openid jobs:run admin', first_party: false };
    const answer = await manage(idp, client, { method: 'PUT', body });
    expect([answer.status, answer.body.scope]).toEqual([200, 'openid jobs:run']);
    expect(await clients.find(idp.db, client.client_id)).toMatchObject({
      ...{ first_party: true, id_token_claims: 'scope' },
    });
  });

  test('takes no demand back that the operator made: whoever holds the token cannot weaken the client', async () => {
    const idp = await startOpen();
    const client = await registered(idp);
    const demands = { require_pkce: true, security_profile: 'oauth_2_1' };
    await updateClient(idp.deps, client.client_id, demands, idp.now());
    for (const asked of [{}, { require_pkce: false, security_profile: 'default' }]) {
      const body = { client_id: client.client_id, ...good, ...asked };
      const answer = await manage(idp, client, { method: 'PUT', body });
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining(demands)]);
    }
  });
});

describe.each(engines)('DELETE of a registration on %s (RFC 7592 §2.3)', (engine) => {
  test('answers 204, and its codes, tokens and consents end at once (REG-05, COD-09)', async () => {
    const idp = await startOpen({ engine });
    await idp.addUser();
    const grant_types = ['authorization_code', 'refresh_token'];
    const client = await registered(idp, { grant_types });
    const app = { client: await stored(idp, client.client_id), client_secret: client.client_secret ?? null };
    const browser = idp.browser();
    const request = { redirect_uri: cb, scope: 'openid offline_access', prompt: 'consent' };
    const consent = await signIn(browser, await browser.get(authorizeUrl(client.client_id, request)));
    const { code = '' } = responseOf(await browser.submit(consent, { action: 'allow' }));
    const { body } = await redeem(idp, app, code, { redirect_uri: cb });
    const unused = await getCode(browser, client.client_id, { redirect_uri: cb });
    expect((await idp.userinfo(body.access_token)).status).toBe(200);

    const { status, body: empty } = await manage(idp, client, { method: 'DELETE' });
    expect([status, empty]).toEqual([204, '']);
    expect((await idp.userinfo(body.access_token)).status).toBe(401);
    const refused = await redeem(idp, app, unused, { redirect_uri: cb });
    expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect((await idp.token(refresh, basic(client.client_id, app.client_secret))).body.error).toBe(
      'invalid_client',
    );
    expect((await browser.get(authorizeUrl(client.client_id, { redirect_uri: cb }))).status).toBe(400);
  });

  test('afterwards every method is 401, never 404 (REG-06)', async () => {
    const idp = await startOpen({ engine });
    const client = await registered(idp);
    await manage(idp, client, { method: 'DELETE' });
    for (const sent of [{}, { method: 'PUT', body: good }, { method: 'DELETE' }]) {
      const { status, body } = await manage(idp, client, sent);
      expect([status, body.error]).toEqual([401, 'invalid_token']);
    }
  });
});

describe('the registration access token (REG-06)', () => {
  test('that is missing is challenged, without an error (REG-06)', async () => {
    const idp = await startOpen();
    const { client_id } = await registered(idp);
    const { status, headers } = await idp.fetch(`/register/${client_id}`);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="sallyport"']);
  });

  test.each<[string, (idp: TestIdp) => Promise<[client_id: string, token: string]>]>([
    ['that is wrong', async (idp) => [(await registered(idp)).client_id, 'x']],
    [
      'of another client',
      async (idp) => [(await registered(idp)).client_id, (await registered(idp)).registration_access_token],
    ],
    [
      'where there is no such client',
      async (idp) => ['nobody', (await registered(idp)).registration_access_token],
    ],
    [
      'where the name cannot be one',
      async (idp) => ['%00%ff', (await registered(idp)).registration_access_token],
    ],
    [
      'for a client that the operator added',
      async (idp) => {
        const { client, client_secret } = await idp.addClient();
        return [client.client_id, client_secret ?? ''];
      },
    ],
    ['that is the client_id, where there is none', async () => ['nobody', 'nobody']],
    [
      'of a client that is disabled',
      async (idp) => {
        const client = await registered(idp);
        await disableClient(idp.deps, client.client_id, true, idp.now());
        return [client.client_id, client.registration_access_token];
      },
    ],
    [
      'of a client that the operator removed',
      async (idp) => {
        const client = await registered(idp);
        await removeClient(idp.deps, client.client_id, idp.now());
        return [client.client_id, client.registration_access_token];
      },
    ],
  ])('%s is 401 invalid_token (REG-06)', async (_, prepare) => {
    const idp = await startOpen();
    const [client_id, registration_access_token] = await prepare(idp);
    const { status, body, headers } = await manage(idp, { client_id, registration_access_token });
    expect([status, body.error]).toEqual([401, 'invalid_token']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  test('is no client secret, and a client secret is none', async () => {
    const idp = await startOpen();
    const { client_id, client_secret = '', registration_access_token } = await registered(idp);
    expect((await manage(idp, { client_id, registration_access_token: client_secret })).status).toBe(401);
    const asked = await idp.token(
      { grant_type: 'refresh_token', refresh_token: 'x' },
      basic(client_id, registration_access_token),
    );
    expect(asked.body.error).toBe('invalid_client');
  });
});

async function stored(idp: TestIdp, client_id: string): Promise<clients.Client> {
  const client = await clients.find(idp.db, client_id);
  if (client === undefined) throw new Error(`there is no client ${client_id}`);
  return client;
}
