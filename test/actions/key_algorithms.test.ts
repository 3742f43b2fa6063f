/** Keys of other algorithms than RS256: those that sign for single clients, and those that others encrypt to. */
import { CompactEncrypt, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { addClient } from '../../src/actions/clients.js';
import {
  ensureKeysFor,
  listKeys,
  retireSigningKey,
  rotateDueKeys,
  rotateKeys,
  rotateSigningKey,
} from '../../src/actions/keys.js';
import { jweAlgs } from '../../src/oauth/algorithms.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { jwkSet, kept, lead, publishedKids, rotation, signedBy, verifies } from '../support/keys.js';
import { eventsOf } from '../support/shop.js';

describe('keys of other algorithms', () => {
  const ofAlg = async (idp: TestIdp, alg: string) =>
    (await listKeys(idp.deps, idp.now())).filter((key) => key.alg === alg);

  test.each(engines)(
    'are made once on %s, however many processes want the first one, and sign at once',
    async (engine) => {
      const idp = await startIdp({ engine });
      const other = await anotherProcess(idp);
      await Promise.all(
        [idp.deps, other, idp.deps, other].map((deps) => ensureKeysFor(deps, ['ES256', 'EdDSA'], idp.now())),
      );
      expect(await ofAlg(idp, 'ES256')).toMatchObject([{ use: 'sig', state: 'active' }]);
      expect(await ofAlg(idp, 'EdDSA')).toMatchObject([{ use: 'sig', state: 'active' }]);
      expect(await eventsOf(idp, 'signing_key_added')).toHaveLength(2);
      const jwt = await (await idp.deps.keys.get()).sign('JWT', { iss: idp.issuer }, idp.now(), 'ES256');
      expect([decodeProtectedHeader(jwt).alg, await verifies(idp, jwt)]).toEqual(['ES256', true]);
      expect((await other.keys.get()).verify('JWT', jwt, idp.now())?.claims).toEqual({ iss: idp.issuer });
    },
  );

  test('sign in a process that does not know of them yet, for a client that another one has just registered', async () => {
    const idp = await startIdp();
    const ring = await idp.deps.keys.get();
    const other = await anotherProcess(idp);
    const metadata = { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'] };
    await addClient(other, { ...metadata, id_token_signed_response_alg: 'ES512' }, idp.now());
    expect(decodeProtectedHeader(await ring.sign('JWT', {}, idp.now(), 'ES512')).alg).toBe('ES512');
    await expect(ring.sign('JWT', {}, idp.now(), 'PS512')).rejects.toThrow('no signing key for PS512');
  });

  test('have a succession of their own: a rotation of one leaves the others alone, and each has one key that signs', async () => {
    const idp = await startIdp();
    await ensureKeysFor(idp.deps, ['ES256', 'PS256'], idp.now());
    const [first] = await ofAlg(idp, 'ES256');
    idp.advance(10);
    const kid = await rotateSigningKey(idp.deps, { at_once: false, alg: 'ES256' }, idp.now());
    const ring = await idp.deps.keys.get();
    const signs = async () => signedBy(await ring.sign('JWT', {}, idp.now(), 'ES256'));
    expect([await signs(), await activeOf(idp, 'PS256'), await activeOf(idp, 'RS256')]).toEqual([
      first?.kid,
      1,
      1,
    ]);
    idp.advance(lead);
    expect([await signs(), await activeOf(idp, 'PS256'), await activeOf(idp, 'RS256')]).toEqual([kid, 1, 1]);
    expect(await publishedKids(idp)).toHaveLength(4);
    idp.advance(kept);
    expect(await publishedKids(idp)).toHaveLength(3);
  });

  test('are rotated together, by the command and by the job', async () => {
    const idp = await startIdp();
    await ensureKeysFor(idp.deps, ['ES256'], idp.now());
    const rotated = await rotateKeys(idp.deps, { at_once: true, alg: undefined }, idp.now());
    expect(rotated.map(({ alg }) => alg)).toEqual(['RS256', 'ES256']);
    idp.advance(rotation);
    await rotateDueKeys(idp.deps, idp.now());
    for (const alg of ['RS256', 'ES256'])
      expect((await ofAlg(idp, alg)).filter(({ state }) => state === 'announced')).toHaveLength(1);
  });

  test('must be there to be rotated', async () => {
    const idp = await startIdp();
    for (const alg of ['ES512', 'none', 'HS256'])
      await expect(rotateKeys(idp.deps, { at_once: true, alg }, idp.now())).rejects.toMatchObject({
        code: 'not_found',
      });
  });

  test('that leaked are replaced by one of the same algorithm', async () => {
    const idp = await startIdp();
    await ensureKeysFor(idp.deps, ['ES256'], idp.now());
    const [leaked] = await ofAlg(idp, 'ES256');
    const { replaced_by } = await retireSigningKey(idp.deps, leaked?.kid ?? '', idp.now());
    expect(await ofAlg(idp, 'ES256')).toMatchObject([{ kid: replaced_by, state: 'active' }]);
  });

  async function activeOf(idp: TestIdp, alg: string): Promise<number> {
    return (await ofAlg(idp, alg)).filter(({ state }) => state === 'active').length;
  }
});

describe('keys to encrypt to (JWK-06)', () => {
  const encrypted = async (idp: TestIdp) =>
    (await jwkSet(idp)).keys.filter(({ use, alg }) => use === 'enc' && alg === 'ECDH-ES');

  async function encryptTo(jwk: JWK | undefined): Promise<string> {
    const jwe = new CompactEncrypt(new TextEncoder().encode('hello'));
    const header = { alg: 'ECDH-ES', enc: 'A128GCM', kid: jwk?.kid ?? '' };
    return jwe.setProtectedHeader(header).encrypt(await importJWK(jwk ?? {}));
  }

  test('are made by the job, one for each algorithm, and are published with their use', async () => {
    const idp = await startIdp();
    await rotateDueKeys(idp.deps, idp.now());
    await rotateDueKeys(idp.deps, idp.now());
    const published = (await jwkSet(idp)).keys.filter(({ use }) => use === 'enc');
    expect(published.map(({ alg }) => alg).toSorted()).toEqual([...jweAlgs].sort());
  });

  test('are published while they may be used, and decrypt for seven days after they were replaced', async () => {
    const idp = await startIdp();
    await rotateDueKeys(idp.deps, idp.now());
    const [old] = await encrypted(idp);
    const jwe = await encryptTo(old);
    const decrypts = async () => (await idp.deps.keys.get()).decrypt(jwe, idp.now());
    const kid = await rotateSigningKey(idp.deps, { at_once: false, alg: 'ECDH-ES' }, idp.now());
    expect((await encrypted(idp)).map((key) => key.kid).toSorted()).toEqual([old?.kid, kid].toSorted());

    idp.advance(lead);
    expect((await encrypted(idp)).map((key) => key.kid)).toEqual([kid]);
    expect(await decrypts()).toBe('hello');
    idp.advance(7 * 86_400 - 1);
    expect(await decrypts()).toBe('hello');
    idp.advance(1);
    expect(await decrypts()).toBeUndefined();
  });

  test('that leaked decrypt nothing any more, and another is in their place', async () => {
    const idp = await startIdp();
    await rotateDueKeys(idp.deps, idp.now());
    const [leaked] = await encrypted(idp);
    const jwe = await encryptTo(leaked);
    const { replaced_by } = await retireSigningKey(idp.deps, leaked?.kid ?? '', idp.now());
    expect(await (await idp.deps.keys.get()).decrypt(jwe, idp.now())).toBeUndefined();
    expect((await encrypted(idp)).map(({ kid }) => kid)).toEqual([replaced_by]);
  });
});
