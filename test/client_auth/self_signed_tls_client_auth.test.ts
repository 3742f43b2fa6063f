import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Made, newCertificate, unknown_key, type Wanted } from '../support/certificates.js';
import { escaped, startBehindProxy, startWithTls } from '../support/mtls.js';
import { replies } from '../support/outbound.js';

const grant = { grant_type: 'client_credentials', client_id: 'batch' };
const registered = {
  ...{ grant_types: ['client_credentials'], token_endpoint_auth_method: 'self_signed_tls_client_auth' },
};
const key_pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const good = newCertificate({ key_pair });
const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' });
const jwk = jwkOf(key_pair.publicKey);
const x5c = ({ der }: Made) => [der.toString('base64')];
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });

async function ask(keys: readonly object[], shown: Made = good) {
  const idp = await startBehindProxy();
  await idp.addClient({ ...registered, jwks: { keys } }, 'batch');
  const { status, body } = await idp.token(grant, escaped(shown));
  return [status, body.error];
}

describe('self_signed_tls_client_auth (RFC 8705 §2.2)', () => {
  test.each<[string, object[]]>([
    ['key', [jwk]],
    ['certificate', [{ ...jwk, x5c: x5c(good) }]],
    [
      'key, beside others',
      [jwkOf(other.publicKey), { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, { kty: 'odd' }, jwk],
    ],
    [
      'key, of which it has a newer certificate',
      [{ ...jwk, x5c: x5c(newCertificate({ key_pair, to: 1_700_000_000 })) }],
    ],
  ])('takes a certificate of the registered %s (CLA-11)', async (_, keys) => {
    expect(await ask(keys)).toEqual([200, undefined]);
  });

  test.each<[string, Wanted]>([
    ['of RSA', { key_pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) }],
    ['of P-384', { key_pair: generateKeyPairSync('ec', { namedCurve: 'P-384' }) }],
  ])('takes a key %s', async (_, wanted) => {
    const shown = newCertificate({ issuer: good, ...wanted });
    expect(await ask([jwkOf(wanted.key_pair?.publicKey as KeyObject)], shown)).toEqual([200, undefined]);
  });

  test.each<[string, object[], Made]>([
    ['another key', [jwkOf(other.publicKey)], good],
    ['another certificate than the registered one', [{ ...jwk, x5c: x5c(newCertificate()) }], good],
    ['a registered text that is no certificate', [{ ...jwk, x5c: ['AAAA'] }], good],
    ['a subject alone that is the same', [jwk], newCertificate()],
    ['a key of a kind that nobody knows', [jwk], newCertificate({ spki: unknown_key })],
    ['an end in the past', [jwk], newCertificate({ key_pair, to: 1_700_000_000 })],
    ['a beginning in the future', [jwk], newCertificate({ key_pair, from: 4_000_000_000 })],
  ])('refuses a certificate with %s (CLA-11)', async (_, keys, shown) => {
    expect(await ask(keys, shown)).toEqual([401, 'invalid_client']);
  });

  test('refuses a key that is too short, though it is registered', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const shown = newCertificate({ issuer: good, key_pair: short });
    expect(await ask([jwkOf(short.publicKey)], shown)).toEqual([401, 'invalid_client']);
  });

  test('refuses the certificate of A with the client_id of B (CLA-12)', async () => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, jwks: { keys: [jwk] } }, 'a');
    await idp.addClient({ ...registered, jwks: { keys: [jwkOf(other.publicKey)] } }, 'b');
    const statusOf = async (client_id: string) =>
      (await idp.token({ ...grant, client_id }, escaped(good))).status;
    expect([await statusOf('a'), await statusOf('b')]).toEqual([200, 401]);
  });

  test('takes a new key of the client’s jwks_uri at once, and no old one', async () => {
    const jwks_uri = 'https://batch.example/jwks';
    const table = replies();
    const idp = await startBehindProxy({}, { outbound: table.outbound });
    await idp.addClient({ ...registered, jwks_uri }, 'batch');
    const statusOf = async (shown: Made) => (await idp.token(grant, escaped(shown))).status;
    table.set(jwks_uri, { keys: [jwk] });
    expect(await statusOf(good)).toBe(200);
    idp.advance(10);
    table.set(jwks_uri, { keys: [jwkOf(other.publicKey)] });
    expect(await statusOf(newCertificate({ key_pair: other }))).toBe(200);
    expect(await statusOf(good)).toBe(401);
    idp.advance(61);
    table.remove(jwks_uri);
    expect(await statusOf(newCertificate({ key_pair: other }))).toBe(401);
  });

  test('takes a certificate of nobody’s in our own TLS: it is judged here (MTL-03)', async () => {
    const { idp, post } = await startWithTls();
    await idp.addClient({ ...registered, jwks: { keys: [jwk] } }, 'batch');
    expect((await post('/token', grant, good)).status).toBe(200);
    expect((await post('/token', grant, newCertificate())).status).toBe(401);
    expect((await post('/token', grant, null)).status).toBe(401);
  });
});
