/** Request objects that a client signed, and that are none all the same. RFC 9101 §4; RFC 7519 §7.2; RFC 7797 §7; RFC 8259 §4. */
import { CompactSign, FlattenedSign } from 'jose';
import { expect, test } from 'vitest';
import { newClientKey } from '../support/assertion.js';
import { goodRequest } from '../support/flow.js';
import { push } from '../support/pushed.js';
import { startShop } from '../support/shop.js';

const key = await newClientKey('ES256');
const header = { alg: key.alg, kid: key.kid };
const bytes = (text: string) => new TextEncoder().encode(text);

/** A payload that is good, with these members behind the others. */
const payloadWith = (members: string) =>
  `${JSON.stringify({ ...goodRequest, client_id: 'shop' }).slice(0, -1)}${members}}`;

const signed = (payload: string) =>
  new CompactSign(bytes(payload)).setProtectedHeader(header).sign(key.private_key);

/** Its payload is not encoded, and so must have no dot. */
async function unencoded(): Promise<string> {
  const payload = payloadWith('').replaceAll('.', '\\u002e');
  const { protected: head, signature } = await new FlattenedSign(bytes(payload))
    .setProtectedHeader({ ...header, b64: false, crit: ['b64'] })
    .sign(key.private_key);
  return `${head}.${payload}.${signature}`;
}

const deep = '['.repeat(5800) + ']'.repeat(5800);

test.each<[string, () => Promise<string>]>([
  ['is nested so deeply that writing it as JSON fails', () => signed(payloadWith(`,"claims":${deep}`))],
  ['says a member twice', () => signed(payloadWith(',"redirect_uri":"https://evil.example/"'))],
  ['has a payload that is not encoded (b64)', unencoded],
])('An object that %s: invalid_request_object', async (_, make) => {
  const { idp, shop } = await startShop({ metadata: { jwks: { keys: [key.jwk] } } });
  expect((await push(idp, shop, { request: await signed(payloadWith('')) })).status).toBe(201);
  const { status, body } = await push(idp, shop, { request: await make() });
  expect([status, body.error]).toEqual([400, 'invalid_request_object']);
});
