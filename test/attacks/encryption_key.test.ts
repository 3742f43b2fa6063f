/** Keys of a client that can be read as keys, and that nothing can be encrypted to. RFC 7518 §4.3, §4.6; RFC 7748 §6.1. */
import { exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { ask, countIn, signedInBrowser } from '../support/authorize.js';
import { askFor, startFrontChannel } from '../support/front_channel.js';
import { senderOf, startTold } from '../support/outbox.js';
import { good, register, startOpen } from '../support/registration.js';
import { startShop } from '../support/shop.js';

const rsa = await exportJWK((await generateKeyPair('RSA-OAEP-256', { extractable: true })).publicKey);
const modulus = () => Buffer.from(rsa.n ?? '', 'base64url');
const rsaWith = (n: Buffer, e = rsa.e) => ({ kty: 'RSA', n: n.toString('base64url'), e });

/** A point of small order: with it everybody agrees on the same secret, zero. */
const smallOrder = { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') };
/** No product of two primes. */
const even = rsaWith(Buffer.concat([modulus().subarray(0, -1), Buffer.from([2])]));

test.each<[string, object]>([
  [
    'an RSA key of 512 bits behind zeros',
    rsaWith(Buffer.concat([Buffer.alloc(192), modulus().subarray(0, 64)])),
  ],
  ['an RSA exponent of 1, which leaves all as it is', rsaWith(modulus(), 'AQ')],
  ['an RSA exponent of 2', rsaWith(modulus(), 'Ag')],
])('%s is not registered to encrypt to (REG-15)', async (_, jwk) => {
  const idp = await startOpen();
  const metadata = { ...good, jwks: { keys: [jwk] }, id_token_encrypted_response_alg: 'RSA-OAEP-256' };
  const { status, body } = await register(idp, metadata);
  expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
});

test.each<[string, string, object]>([
  ['a point of small order', 'ECDH-ES', smallOrder],
  ['a point of small order, to wrap a key', 'ECDH-ES+A128KW', smallOrder],
  ['an even modulus', 'RSA-OAEP-256', even],
])('%s: the token endpoint says so, and the code is not used up', async (_, alg, jwk) => {
  const shop = await startShop({
    metadata: { jwks: { keys: [jwk] }, id_token_encrypted_response_alg: alg },
  });
  const code = await shop.code();
  const { status, body } = await shop.redeem(code);
  expect([status, body.error]).toEqual([400, 'invalid_request']);
  const plain = { id_token_encrypted_response_alg: null };
  await updateClient(shop.idp.deps, 'shop', plain, shop.idp.now());
  shop.idp.advance(1);
  expect((await shop.redeem(code)).status).toBe(200);
});

test('an authorization response that cannot be encrypted gives nothing out', async () => {
  const { idp } = await startFrontChannel('code id_token', {
    metadata: { jwks: { keys: [smallOrder] }, id_token_encrypted_response_alg: 'ECDH-ES' },
  });
  const page = await ask(await signedInBrowser(idp), 'shop', askFor('code id_token'));
  expect(page.headers.get('location')).toMatch(/#error=invalid_request&/);
  expect(await countIn(idp, 'authorizations')).toBe(0);
});

test('a logout token that cannot be encrypted is tried as seldom as one that is not taken, and given up (BCL-03)', async () => {
  const { idp, end, rows } = await startTold();
  const changes = { id_token_encrypted_response_alg: 'ECDH-ES', jwks: { keys: [smallOrder] } };
  await updateClient(idp.deps, 'shop', changes, idp.now());
  await end();
  idp.advance(1);
  await senderOf(idp.deps).flush();
  expect(await rows()).toMatchObject([{ state: 'sent', answer: expect.stringContaining('encrypt to') }]);
});
