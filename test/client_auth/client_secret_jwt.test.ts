import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { rotateClientSecret, updateClient } from '../../src/actions/clients.js';
import { rotateDueKeys } from '../../src/actions/keys.js';
import { rewrapKeys } from '../../src/actions/rewrap_keys.js';
import { macAlgs } from '../../src/oauth/algorithms.js';
import * as clients from '../../src/store/clients.js';
import {
  type Assertion,
  assertionOf,
  type ClientSecret,
  newClientKey,
  withAssertion,
} from '../support/assertion.js';
import { engines } from '../support/database.js';
import { basic, type Form, startIdp, type TestIdp } from '../support/idp.js';
import { atOnce } from '../support/shop.js';

const registered = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_jwt' };

/** A secret as a key to sign with. */
function keyOf(client_secret: string | null, alg = 'HS256'): ClientSecret {
  return { alg, private_key: new TextEncoder().encode(client_secret ?? '') };
}

async function start(metadata: object = {}, engine: (typeof engines)[number] = 'sqlite') {
  const idp = await startIdp({ engine });
  const { client_secret } = await idp.addClient({ ...registered, ...metadata }, 'batch');
  return { idp, client_secret };
}

async function expectRefused(idp: TestIdp, form: Form): Promise<void> {
  const { status, body } = await idp.token(form);
  expect([status, body.error]).toEqual([401, 'invalid_client']);
}

describe.each(engines)('client_secret_jwt on %s', (engine) => {
  test.each(macAlgs)('takes an assertion under the secret with %s (CLA-10)', async (alg) => {
    const { idp, client_secret } = await start({}, engine);
    const assertion = await assertionOf(idp, 'batch', keyOf(client_secret, alg));
    expect((await idp.token(withAssertion(assertion))).status).toBe(200);
  });

  test('of twenty uses of one assertion at once one wins', async () => {
    const { idp, client_secret } = await start({}, engine);
    const form = withAssertion(await assertionOf(idp, 'batch', keyOf(client_secret)));
    const answers = await atOnce(20, () => idp.token(form));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('an assertion under a secret', () => {
  test.each<[string, (idp: TestIdp) => Assertion]>([
    ['iss is another (CLA-06)', () => ({ claims: { iss: 'other' } })],
    ['sub is another', () => ({ claims: { sub: 'other' } })],
    ['aud is another server', () => ({ claims: { aud: 'https://other.example' } })],
    ['exp is missing', () => ({ claims: { exp: undefined } })],
    ['exp is past', (idp) => ({ claims: { exp: idp.now() - 1 } })],
    ['exp is more than an hour ahead', (idp) => ({ claims: { exp: idp.now() + 3601 } })],
    ['iat is 61 s ahead (CLA-07)', (idp) => ({ claims: { iat: idp.now() + 61 } })],
    ['jti is missing', () => ({ claims: { jti: undefined } })],
    ['typ is that of a logout token (CLA-14)', () => ({ header: { typ: 'logout+jwt' } })],
    ['crit names something', () => ({ header: { crit: ['exp'], exp: 1 } })],
  ])('is refused where %s', async (_, changes) => {
    const { idp, client_secret } = await start();
    const made = assertionOf(idp, 'batch', keyOf(client_secret), changes(idp));
    const assertion = await made.catch(() => null); // jose itself refuses to sign some
    if (assertion !== null) await expectRefused(idp, withAssertion(assertion));
  });

  test('is refused under another secret, its digest, or an empty one', async () => {
    const { idp, client_secret } = await start();
    const other = await idp.addClient(registered, 'other');
    const row = await clients.find(idp.db, 'batch');
    for (const secret of [
      other.client_secret,
      row?.client_secret_hash ?? '',
      row?.client_secret_sealed ?? '',
      `${client_secret} `,
    ])
      await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', keyOf(secret))));
  });

  test('has the algorithm that was registered, if one was', async () => {
    const { idp, client_secret } = await start({ token_endpoint_auth_signing_alg: 'HS512' });
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', keyOf(client_secret))));
    const right = await assertionOf(idp, 'batch', keyOf(client_secret, 'HS512'));
    expect((await idp.token(withAssertion(right))).status).toBe(200);
  });
});

describe('a key is never taken for a secret, nor a secret for a key (hardening 19)', () => {
  test('a client with a key signs with an HMAC', async () => {
    const idp = await startIdp();
    const key = await newClientKey('RS256');
    const metadata = {
      ...registered,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
    };
    await idp.addClient(metadata, 'batch');
    for (const secret of [JSON.stringify(key.jwk), String(key.jwk.n), 'x'.repeat(43)])
      await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', keyOf(secret))));
  });

  test('a client with a secret signs with a key that it registered', async () => {
    const key = await newClientKey('ES256');
    const { idp } = await start({ jwks: { keys: [key.jwk] } });
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', key)));
  });

  test('a client that signs with its secret sends it instead', async () => {
    const { idp, client_secret } = await start();
    const form = { grant_type: 'client_credentials' };
    expect((await idp.token(form, basic('batch', client_secret))).body.error).toBe('invalid_client');
    expect(
      (await idp.token({ ...form, client_id: 'batch', client_secret: client_secret ?? '' })).body.error,
    ).toBe('invalid_client');
  });
});

describe('the secret', () => {
  test('has 64 bytes and more, as HS512 asks (RFC 7518 §3.2), and is nowhere in the database as it is', async () => {
    const { idp, client_secret } = await start();
    expect(createSecretKey(Buffer.from(client_secret ?? '')).symmetricKeySize).toBe(86);
    const row = await clients.find(idp.db, 'batch');
    expect(JSON.stringify(row)).not.toContain(client_secret);
    expect(row?.client_secret_sealed).toMatch(/^[\w-]{22}\.[\w-]+$/);
  });

  test('is kept for clients that sign with it alone: a change of method makes a new one, or forgets it', async () => {
    const { idp, client_secret } = await start({ token_endpoint_auth_method: 'client_secret_basic' });
    expect((await clients.find(idp.db, 'batch'))?.client_secret_sealed).toBeNull();
    const change = (method: string) =>
      updateClient(idp.deps, 'batch', { token_endpoint_auth_method: method }, idp.now());
    const signing = await change('client_secret_jwt');
    expect(signing.client_secret).not.toBe(client_secret);
    const assertion = await assertionOf(idp, 'batch', keyOf(signing.client_secret));
    expect((await idp.token(withAssertion(assertion))).status).toBe(200);
    expect((await change('client_secret_jwt')).client_secret).toBeNull();

    expect((await change('client_secret_basic')).client_secret).toBeNull();
    expect((await clients.find(idp.db, 'batch'))?.client_secret_sealed).toBeNull();
    const form = { grant_type: 'client_credentials' };
    expect((await idp.token(form, basic('batch', signing.client_secret))).status).toBe(200);
    await change('private_key_jwt').catch(() => undefined); // it has no keys
  });

  test('can be replaced, and the old one stops working', async () => {
    const { idp, client_secret } = await start();
    const renewed = await rotateClientSecret(idp.deps, 'batch', idp.now());
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', keyOf(client_secret))));
    const assertion = await assertionOf(idp, 'batch', keyOf(renewed.client_secret));
    expect((await idp.token(withAssertion(assertion))).status).toBe(200);
  });

  test('outlives the rotation of every key, and a new master key', async () => {
    const { idp, client_secret } = await start();
    for (const _ of Array(5)) {
      idp.advance(91 * 86_400);
      await rotateDueKeys(idp.deps, idp.now());
    }
    await rewrapKeys(idp.deps, idp.now());
    const assertion = await assertionOf(idp, 'batch', keyOf(client_secret));
    expect((await idp.token(withAssertion(assertion))).status).toBe(200);
  });

  test('of one client, put in the place of another’s, opens nothing', async () => {
    const { idp, client_secret } = await start();
    const [thief] = [await idp.addClient(registered, 'thief')];
    const batch = await clients.find(idp.db, 'batch');
    const sealed = { ...thief.client, client_secret_sealed: batch?.client_secret_sealed ?? null };
    await idp.db.transaction((trx) => clients.update(trx, sealed, thief.client.updated_at));
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'thief', keyOf(client_secret))));
  });
});
