import { describe, expect, test } from 'vitest';
import {
  addClient,
  disableClient,
  loadClient,
  removeClient,
  rotateClientSecret,
  updateClient,
} from '../../src/actions/clients.js';
import { digest } from '../../src/secrets.js';
import * as clients from '../../src/store/clients.js';
import * as consents from '../../src/store/consents.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { authorizeUrl } from '../support/flow.js';
import { basic, redirect_uri, startIdp, type TestIdp } from '../support/idp.js';
import { eventsOf, startShop } from '../support/shop.js';

const machine = { client_name: 'Robot', grant_types: ['client_credentials'], scope: 'work' };

const ask = (idp: TestIdp, client_id: string, client_secret: string | null) =>
  idp.token({ grant_type: 'client_credentials' }, basic(client_id, client_secret));

describe('a new client', () => {
  test('is told its secret once: the database holds its SHA-256, the log nothing', async () => {
    const idp = await startIdp();
    const { client, client_secret } = await addClient(idp.deps, machine, idp.now());
    expect(client_secret).toMatch(/^[\w-]{43}$/);
    const stored = await clients.find(idp.db, client.client_id);
    expect(stored?.client_secret_hash).toBe(digest(client_secret ?? ''));
    expect(JSON.stringify([stored, idp.logged, await eventsOf(idp, 'client_added')])).not.toContain(
      client_secret,
    );
    expect((await ask(idp, client.client_id, client_secret)).status).toBe(200);
  });

  test.each([
    ['none', { token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] }],
    [
      'private_key_jwt',
      { token_endpoint_auth_method: 'private_key_jwt', redirect_uris: [redirect_uri], jwks: { keys: [] } },
    ],
  ])('with %s has no secret, and none can be rotated', async (_, metadata) => {
    const idp = await startIdp();
    const added = await addClient(idp.deps, { client_name: 'App', ...metadata }, idp.now());
    expect([added.client_secret, added.client.client_secret_hash]).toEqual([null, null]);
    await expect(rotateClientSecret(idp.deps, added.client.client_id, idp.now())).rejects.toMatchObject({
      code: 'not_allowed',
    });
  });

  test('is told all that is wrong with its metadata at once, and is not stored', async () => {
    const idp = await startIdp();
    const metadata = {
      client_name: '',
      redirect_uris: ['/cb'],
      grant_types: ['password'],
      logo_uri: 5,
      colour: 'red',
    };
    const work = addClient(idp.deps, metadata, idp.now());
    await expect(work).rejects.toMatchObject({ code: 'invalid_request' });
    const told = await work.catch((error: Error) => error.message);
    for (const member of ['client_name', 'grant_types', 'logo_uri', 'colour']) expect(told).toContain(member);
    expect([await clients.list(idp.db), await eventsOf(idp, 'client_added')]).toEqual([[], []]);
  });

  test('cannot bring its own secret along (decisions 10)', async () => {
    const idp = await startIdp();
    await expect(addClient(idp.deps, { ...machine, client_secret: 'hunter2' }, idp.now())).rejects.toThrow(
      'client_secret: secrets are generated here',
    );
  });

  test('cannot set what only the server sets (CCG-02, BCP-10)', async () => {
    const idp = await startIdp();
    for (const member of ['client_id', 'client_secret_hash', 'created_at', 'disabled_at'])
      await expect(addClient(idp.deps, { ...machine, [member]: 'x' }, idp.now())).rejects.toThrow(member);
  });
});

describe.each(engines)('a client on %s', (engine) => {
  test('keeps its id to itself: of twenty that want the same one gets it', async () => {
    const idp = await startIdp({ engine });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => addClient(idp.deps, machine, idp.now(), 'robot')),
    );
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect((await ask(idp, 'robot', won[0]?.value.client_secret ?? '')).status).toBe(200);
  });

  test('loses no change: of ten changes of the same version one is made, the others are told', async () => {
    const idp = await startIdp({ engine });
    await addClient(idp.deps, machine, idp.now(), 'robot');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 === 0
          ? updateClient(idp.deps, 'robot', { client_name: `Robot ${i}` }, idp.now())
          : rotateClientSecret(idp.deps, 'robot', idp.now()),
      ),
    );
    const made = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(made).toBeGreaterThanOrEqual(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' });
    }
    const told = [
      ...(await eventsOf(idp, 'client_updated')),
      ...(await eventsOf(idp, 'client_secret_rotated')),
    ];
    expect(told).toHaveLength(made);
    expect((await clients.find(idp.db, 'robot'))?.updated_at).toBe(idp.now() + made);
  });

  test('is known to another process, changed and removed there within a second', async () => {
    const idp = await startIdp({ engine });
    const operator = await anotherProcess(idp);
    const { client_secret } = await addClient(operator, machine, idp.now(), 'robot');
    const status = async (secret = client_secret) => {
      idp.advance(1);
      return (await ask(idp, 'robot', secret)).status;
    };
    expect(await status()).toBe(200);
    const rotated = (await rotateClientSecret(operator, 'robot', idp.now())).client_secret;
    expect([await status(), await status(rotated)]).toEqual([401, 200]);
    await disableClient(operator, 'robot', true, idp.now());
    expect(await status(rotated)).toBe(401);
    await disableClient(operator, 'robot', false, idp.now());
    expect(await status(rotated)).toBe(200);
    await removeClient(operator, 'robot', idp.now());
    expect(await status(rotated)).toBe(401);
  });
});

describe('a change of a client', () => {
  test('touches what it names, and gives a member set to null its default back', async () => {
    const idp = await startIdp();
    const metadata = {
      client_name: 'Shop',
      redirect_uris: [redirect_uri],
      default_max_age: 60,
      first_party: true,
    };
    const added = await addClient(idp.deps, metadata, idp.now(), 'shop');
    idp.advance(10);
    const changes = { client_name: 'Market', default_max_age: null, first_party: null };
    const { client, client_secret } = await updateClient(idp.deps, 'shop', changes, idp.now());
    const { default_max_age, ...rest } = added.client;
    expect(default_max_age).toBe(60);
    expect(client).toEqual({ ...rest, client_name: 'Market', first_party: false, updated_at: idp.now() });
    expect(client_secret).toBeNull();
    expect(await loadClient(idp.deps, 'shop')).toEqual(client);
  });

  test('takes back how something is encrypted where it takes back that it is', async () => {
    const idp = await startIdp();
    const metadata = {
      ...{ client_name: 'Shop', redirect_uris: [redirect_uri], jwks_uri: 'https://shop.example/jwks' },
      ...{ id_token_encrypted_response_alg: 'ECDH-ES', request_object_encryption_alg: 'ECDH-ES' },
    };
    await addClient(idp.deps, metadata, idp.now(), 'shop');
    const changes = { id_token_encrypted_response_alg: null };
    const { client } = await updateClient(idp.deps, 'shop', changes, idp.now());
    expect([client.id_token_encrypted_response_enc, client.request_object_encryption_enc]).toEqual([
      undefined,
      'A128CBC-HS256',
    ]);
  });

  test('is refused as a whole where one part of it is wrong', async () => {
    const idp = await startIdp();
    const { client } = await idp.addClient({}, 'shop');
    for (const changes of [
      { client_name: 'Market', redirect_uris: [] },
      { redirect_uris: ['http://shop.example/cb'] },
    ])
      await expect(updateClient(idp.deps, 'shop', changes, idp.now())).rejects.toMatchObject({
        code: 'invalid_request',
      });
    expect(await loadClient(idp.deps, 'shop')).toEqual(client);
  });

  test('to a method with a secret makes one, and to one without takes it away', async () => {
    const idp = await startIdp();
    const { client_secret } = await idp.addClient({}, 'shop');
    const become = (token_endpoint_auth_method: string) =>
      updateClient(idp.deps, 'shop', { token_endpoint_auth_method }, idp.now());
    expect((await become('client_secret_post')).client_secret).toBeNull(); // it keeps the one it has
    expect((await loadClient(idp.deps, 'shop')).client_secret_hash).toBe(digest(client_secret ?? ''));
    expect((await become('none')).client.client_secret_hash).toBeNull();
    const again = await become('client_secret_basic');
    expect(again.client_secret).toMatch(/^[\w-]{43}$/);
    expect(again.client_secret).not.toBe(client_secret);
  });

  test('of redirect URIs holds at once for whoever is on the way', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const login = await browser.get(authorizeUrl('shop'));
    expect(login.html).toContain('name="password"');
    await updateClient(idp.deps, 'shop', { redirect_uris: ['https://shop.example/new'] }, idp.now());
    const submitted = await browser.submit(login, {
      email: 'a@example.com',
      password: 'x',
      action: 'cancel',
    });
    expect([submitted.status, submitted.headers.get('location')]).toEqual([400, null]);
  });
});

describe('a client that is', () => {
  test('disabled gets nothing more, and all that it had has ended for good (COD-09)', async () => {
    const { idp, code, tokens, refresh, redeem } = await startShop();
    const given = await tokens({ scope: 'openid offline_access' });
    const open = await code();
    await disableClient(idp.deps, 'shop', true, idp.now());

    expect((await idp.userinfo(given.access_token)).status).toBe(401);
    expect((await refresh(given.refresh_token)).body.error).toBe('invalid_client');
    expect((await redeem(open)).body.error).toBe('invalid_client');
    expect((await idp.browser().get(authorizeUrl('shop'))).status).toBe(400);

    await disableClient(idp.deps, 'shop', false, idp.now());
    expect((await idp.userinfo(given.access_token)).status).toBe(401);
    expect((await refresh(given.refresh_token)).body.error).toBe('invalid_grant');
    expect((await redeem(open)).body.error).toBe('invalid_grant');
    expect((await tokens()).access_token).toBeTypeOf('string');
  });

  test('removed is gone with its tokens and consents', async () => {
    const { idp, user, tokens } = await startShop();
    const given = await tokens();
    const consent = {
      user_id: user.id,
      client_id: 'shop',
      approved: 'email',
      granted_at: 1,
      granted_request: null,
    };
    await consents.upsert(idp.db, consent);
    await removeClient(idp.deps, 'shop', idp.now());
    expect((await idp.userinfo(given.access_token)).status).toBe(401);
    expect(await consents.find(idp.db, user.id, 'shop')).toBeUndefined();
    await expect(loadClient(idp.deps, 'shop')).rejects.toMatchObject({ code: 'not_found' });
    expect(await eventsOf(idp, 'client_removed')).toMatchObject([{ client_id: 'shop' }]);
  });

  test('not there is not found, by whatever is done to it', async () => {
    const idp = await startIdp();
    for (const work of [
      () => loadClient(idp.deps, 'nobody'),
      () => updateClient(idp.deps, 'nobody', {}, idp.now()),
      () => rotateClientSecret(idp.deps, 'nobody', idp.now()),
      () => disableClient(idp.deps, 'nobody', true, idp.now()),
      () => removeClient(idp.deps, 'nobody', idp.now()),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'not_found' });
  });
});
