import { describe, expect, test } from 'vitest';
import { assertionOf, type ClientKey, newClientKey, withAssertion } from '../support/assertion.js';
import { type JsonAnswer, startIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { atOnce } from '../support/shop.js';

const jwks_uri = 'https://batch.example/jwks';
const first = await newClientKey('ES256', 'k1');
const second = await newClientKey('ES256', 'k2');

describe('the keys behind a jwks_uri (CLA-09)', () => {
  test('are fetched once, and kept for a minute', async () => {
    const { ask, idp, fetched } = await start(first);
    for (const seconds of [0, 1, 58]) {
      idp.advance(seconds);
      expect((await ask(first)).status).toBe(200);
    }
    expect(fetched.asked).toEqual([jwks_uri]);
    idp.advance(1);
    expect((await ask(first)).status).toBe(200);
    expect(fetched.asked).toEqual([jwks_uri, jwks_uri]);
  });

  test('are fetched once for twenty requests at once', async () => {
    const { ask, fetched } = await start(first);
    const answers = await atOnce(20, () => ask(first));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(fetched.asked).toHaveLength(1);
  });

  test('are fetched anew at once for a kid that is not known (RFT-07)', async () => {
    const { ask, idp, fetched } = await start(first);
    expect((await ask(first)).status).toBe(200);
    fetched.set(jwks_uri, { keys: [first.jwk, second.jwk] });
    idp.advance(5);
    expect((await ask(second)).status).toBe(200);
    expect((await ask(first)).status).toBe(200);
    expect(fetched.asked).toHaveLength(2);
  });

  test('a flood of unknown kids makes us ask once in five seconds', async () => {
    const { ask, idp, fetched } = await start(first);
    await ask(first);
    for (const _ of Array(10)) expect((await ask(second)).body.error).toBe('invalid_client');
    expect(fetched.asked).toHaveLength(1);
    idp.advance(5);
    for (const _ of Array(10)) expect((await ask(second)).body.error).toBe('invalid_client');
    expect(fetched.asked).toHaveLength(2);
  });

  test('a key that was taken out works for a minute at most', async () => {
    const { ask, idp, fetched } = await start(first);
    await ask(first);
    fetched.set(jwks_uri, { keys: [second.jwk] });
    idp.advance(60);
    expect((await ask(first)).body.error).toBe('invalid_client');
    expect((await ask(second)).status).toBe(200);
  });

  test('a wrong signature with a known kid fetches nothing', async () => {
    const { ask, fetched } = await start(first);
    await ask(first);
    expect((await ask({ ...second, kid: 'k1' })).body.error).toBe('invalid_client');
    expect(fetched.asked).toHaveLength(1);
  });

  test('where they cannot be fetched, the client is told so, and the log why (protocol.md §30.10)', async () => {
    const { ask, idp, fetched } = await start(first);
    fetched.remove(jwks_uri);
    const { status, body } = await ask(first);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(body.error_description).toContain('jwks_uri');
    expect(JSON.stringify(idp.logged)).toContain('batch.example cannot be reached');
  });

  test('a failure is kept for five seconds: nobody makes us ask on and on', async () => {
    const { ask, idp, fetched } = await start(first);
    fetched.remove(jwks_uri);
    for (const _ of Array(10)) expect((await ask(first)).status).toBe(401);
    expect(fetched.asked).toHaveLength(1);
    fetched.set(jwks_uri, { keys: [first.jwk] });
    idp.advance(4);
    expect((await ask(first)).status).toBe(401);
    idp.advance(1);
    expect((await ask(first)).status).toBe(200);
  });

  test('an outage is not noticed as long as the keys are kept, and over soon after the first answer', async () => {
    const { ask, idp, fetched } = await start(first);
    await ask(first);
    fetched.remove(jwks_uri);
    idp.advance(59);
    expect((await ask(first)).status).toBe(200);
    idp.advance(1);
    expect((await ask(first)).status).toBe(401);
    fetched.set(jwks_uri, { keys: [first.jwk] });
    idp.advance(5);
    expect((await ask(first)).status).toBe(200);
  });

  test.each<[string, unknown]>([
    ['HTML', Buffer.from('<!doctype html><title>Not found</title>')],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
    ['nothing', Buffer.alloc(0)],
    ['null', null],
    ['a list', []],
    ['keys that are no list', { keys: {} }],
    ['keys that are no objects', { keys: ['k1', null, 1] }],
    ['no key', { keys: [] }],
    ['a malformed key', { keys: [{ kty: 'EC', crv: 'P-256', kid: 'k1', x: 'A', y: 'A' }] }],
    ['a symmetric key', { keys: [{ kty: 'oct', kid: 'k1', k: 'AAAA' }] }],
    ['a key for encryption', { keys: [{ ...first.jwk, use: 'enc' }] }],
  ])('%s behind it authenticates nobody, and is not our fault', async (_, reply) => {
    const { ask, fetched } = await start(first);
    fetched.set(jwks_uri, reply);
    const { status, body } = await ask(first);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('a private address behind it is refused by the outbound gate (hardening 18)', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
    await idp.addClient({ ...metadata, jwks_uri: 'https://169.254.169.254/latest/meta-data' }, 'batch');
    const { status, body } = await idp.token(withAssertion(await assertionOf(idp, 'batch', first)));
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(body.error_description).not.toContain('169.254');
    expect(JSON.stringify(idp.logged)).toContain('SALLYPORT_OUTBOUND_ALLOWED_HOSTS');
  });
});

const metadata = {
  ...{ grant_types: ['client_credentials'], redirect_uris: [] },
  ...{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
};

/** A client with its keys behind a jwks_uri, which holds this one. */
async function start(key: ClientKey) {
  const fetched = replies();
  fetched.set(jwks_uri, { keys: [key.jwk] });
  const idp = await startIdp({ substitutes: { outbound: fetched.outbound } });
  await idp.addClient(metadata, 'batch');
  const ask = async (by: ClientKey): Promise<JsonAnswer> =>
    idp.token(withAssertion(await assertionOf(idp, 'batch', by)));
  return { idp, fetched, ask };
}
