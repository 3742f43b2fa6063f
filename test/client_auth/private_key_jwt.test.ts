import fc from 'fast-check';
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type Assertion, assertionOf, newClientKey, unsigned, withAssertion } from '../support/assertion.js';
import { engines } from '../support/database.js';
import { basic, type Form, post, startIdp, type TestIdp } from '../support/idp.js';
import { startBehindProxy } from '../support/mtls.js';
import { atOnce, startShop } from '../support/shop.js';

const key = await newClientKey('ES256');
const rsa = await newClientKey('RS256');
const registered = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'private_key_jwt' };
const metadata = { ...registered, jwks: { keys: [key.jwk, { ...rsa.jwk, kid: 'k2' }] } };

describe('private_key_jwt', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])(
    'takes an assertion signed with %s (CLA-09)',
    async (alg) => {
      const idp = await startIdp();
      const own = await newClientKey(alg);
      await idp.addClient({ ...registered, jwks: { keys: [own.jwk] } }, 'batch');
      expect((await idp.token(withAssertion(await assertionOf(idp, 'batch', own)))).status).toBe(200);
    },
  );

  test.each<[string, (idp: TestIdp) => Assertion, Form?]>([
    ['typ is JWT', () => ({ header: { typ: 'JWT' } })],
    ['typ is client-authentication+jwt (CLA-14)', () => ({ header: { typ: 'client-authentication+jwt' } })],
    ['typ is jwt: media types ignore case (RFC 7515 §4.1.9)', () => ({ header: { typ: 'jwt' } })],
    ['typ is the whole media type', () => ({ header: { typ: 'application/client-authentication+JWT' } })],
    ['aud is the token endpoint (CLA-08)', ({ issuer }) => ({ claims: { aud: `${issuer}/token` } })],
    ['aud is a list of one', ({ issuer }) => ({ claims: { aud: [issuer] } })],
    ['aud is a list with others', ({ issuer }) => ({ claims: { aud: ['https://x.example', issuer] } })],
    ['there is no iat', () => ({ claims: { iat: undefined } })],
    ['iat is 10 s ahead (CLA-07)', (idp) => ({ claims: { iat: idp.now() + 10 } })],
    ['nbf is 10 s ahead', (idp) => ({ claims: { nbf: idp.now() + 10 } })],
    ['it is good for an hour', (idp) => ({ claims: { exp: idp.now() + 3600 } })],
    ['there is no kid, and one key for its algorithm', () => ({ header: { kid: undefined } })],
    ['it has claims of its own', () => ({ claims: { hello: { world: [1] } } })],
    ['client_id is sent beside it (CLA-05)', () => ({}), { client_id: 'batch' }],
  ])('takes an assertion where %s', async (_, changes, form = {}) => {
    const idp = await start();
    const assertion = await assertionOf(idp, 'batch', key, changes(idp));
    const { status, body } = await idp.token(withAssertion(assertion, form));
    expect([status, body.error_description]).toEqual([200, undefined]);
  });

  test.each<[string, (idp: TestIdp) => Assertion]>([
    ['iss is another (CLA-06)', () => ({ claims: { iss: 'other' } })],
    ['iss is missing', () => ({ claims: { iss: undefined } })],
    ['sub is another', () => ({ claims: { sub: 'other' } })],
    ['sub is missing', () => ({ claims: { sub: undefined } })],
    ['sub is empty', () => ({ claims: { sub: '' } })],
    ['sub is a number', () => ({ claims: { sub: 1 } })],
    ['sub is a list', () => ({ claims: { sub: ['batch'] } })],
    ['sub is an object', () => ({ claims: { sub: { client_id: 'batch' } } })],
    ['aud is missing', () => ({ claims: { aud: undefined } })],
    ['aud is another server', () => ({ claims: { aud: 'https://other.example' } })],
    ['aud is the issuer with a slash', ({ issuer }) => ({ claims: { aud: `${issuer}/` } })],
    ['aud is another endpoint', ({ issuer }) => ({ claims: { aud: `${issuer}/userinfo` } })],
    ['aud is an empty list', () => ({ claims: { aud: [] } })],
    ['aud is a number', () => ({ claims: { aud: 1 } })],
    ['exp is missing', () => ({ claims: { exp: undefined } })],
    ['exp is a text', (idp) => ({ claims: { exp: String(idp.now() + 60) } })],
    ['exp is past', (idp) => ({ claims: { exp: idp.now() - 10 } })],
    ['exp is more than an hour ahead', (idp) => ({ claims: { exp: idp.now() + 3601 } })],
    ['iat is 61 s ahead (CLA-07)', (idp) => ({ claims: { iat: idp.now() + 61 } })],
    ['iat is a text', () => ({ claims: { iat: 'now' } })],
    ['nbf is 61 s ahead', (idp) => ({ claims: { nbf: idp.now() + 61 } })],
    ['jti is missing', () => ({ claims: { jti: undefined } })],
    ['jti is empty', () => ({ claims: { jti: '' } })],
    ['jti is a number', () => ({ claims: { jti: 7 } })],
    ['typ is that of an access token (CLA-14)', () => ({ header: { typ: 'at+jwt' } })],
    ['typ is that of a request object', () => ({ header: { typ: 'oauth-authz-req+jwt' } })],
    ['typ is that of a logout token', () => ({ header: { typ: 'logout+jwt' } })],
    ['kid is unknown', () => ({ header: { kid: 'k9' } })],
    ['kid is that of a key for another algorithm', () => ({ header: { kid: 'k2' } })],
    ['kid is a number', () => ({ header: { kid: 1 } })],
  ])('401 where %s', async (_, changes) => {
    const idp = await start();
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', key, changes(idp))));
  });

  test.each<[string, Form, number, string]>([
    ['the assertion is missing (CLA-13)', { client_assertion: undefined }, 400, 'invalid_request'],
    ['its type is missing', { client_assertion_type: undefined }, 400, 'invalid_request'],
    [
      'its type is another',
      { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
      400,
      'invalid_request',
    ],
    ['it is sent twice', { client_assertion: ['a.b.c', 'a.b.c'] }, 400, 'invalid_request'],
    ['it is over 16 KiB (hardening 21)', { client_assertion: 'a'.repeat(16_385) }, 400, 'invalid_request'],
    ['it is no JWT', { client_assertion: 'abc' }, 401, 'invalid_client'],
    ['it is encrypted', { client_assertion: 'e30.e30.e30.e30.e30' }, 401, 'invalid_client'],
    ['client_id beside it is another client', { client_id: 'other' }, 401, 'invalid_client'],
  ])('refuses where %s', async (_, change, status, error) => {
    const idp = await start();
    const form = withAssertion(await assertionOf(idp, 'batch', key), change);
    const answer = await idp.token(form);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('anything put together as a JWT is refused, and never our fault', async () => {
    const idp = await start();
    const header = fc.oneof(fc.constant({ alg: 'ES256', kid: 'k1' }), fc.object(), fc.jsonValue());
    const claims = fc.record({
      ...{ iss: fc.jsonValue(), sub: fc.oneof(fc.constant('batch'), fc.jsonValue()) },
      ...{ aud: fc.jsonValue(), exp: fc.jsonValue(), jti: fc.jsonValue() },
    });
    const signature = fc.base64String().map((text) => Buffer.from(text, 'base64').toString('base64url'));
    const jwt = fc
      .tuple(header, fc.oneof(claims, fc.jsonValue()), signature)
      .map((parts) => unsigned(...parts));
    await fc.assert(
      fc.asyncProperty(fc.oneof(jwt, fc.string({ minLength: 1 })), async (assertion) => {
        const { status, body } = await idp.token(withAssertion(assertion.replaceAll('\0', '')));
        expect([400, 401]).toContain(status);
        expect(['invalid_client', 'invalid_request']).toContain(body.error);
      }),
      { numRuns: 150 },
    );
  });
});

describe('algorithms are those of the client’s keys, never the header’s word (hardening 19)', () => {
  const header = { alg: 'none', kid: 'k1' };

  test.each(['', 'AAAA'])(
    'somebody sends an assertion with alg none and the signature %j',
    async (signature) => {
      const idp = await start();
      const payload = { iss: 'batch', sub: 'batch', aud: idp.issuer, exp: idp.now() + 60, jti: 'j' };
      await expectRefused(idp, withAssertion(unsigned(header, payload, signature)));
    },
  );

  test('somebody signs HS256 with the public key as the secret', async () => {
    const idp = await start();
    const secrets = [
      await exportSPKI(await publicKeyOf()),
      JSON.stringify(key.jwk),
      String(key.jwk.x),
      'batch',
    ];
    for (const secret of secrets) {
      const claims: JWTPayload = { iss: 'batch', sub: 'batch', jti: crypto.randomUUID() };
      const jwt = new SignJWT({ ...claims, aud: idp.issuer, exp: idp.now() + 60 });
      const assertion = await jwt
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .sign(new TextEncoder().encode(secret.padEnd(32)));
      await expectRefused(idp, withAssertion(assertion));
    }
  });

  test('somebody brings the key along in the header', async () => {
    const idp = await start();
    const own = await newClientKey('ES256', 'k1');
    for (const brought of [{ jwk: own.jwk }, { jku: 'https://evil.example/jwks' }, { x5c: ['AAAA'] }]) {
      const assertion = await assertionOf(idp, 'batch', own, { header: brought });
      await expectRefused(idp, withAssertion(assertion));
    }
  });

  test('somebody marks an extension as critical that we do not know (RFC 7515 §4.1.11)', async () => {
    const idp = await start();
    const assertion = await assertionOf(idp, 'batch', key);
    const [, payload = '', signature = ''] = assertion.split('.');
    const crit = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'k1', crit: ['exp'], exp: 1 }));
    await expectRefused(idp, withAssertion([crit.toString('base64url'), payload, signature].join('.')));
  });

  test('another client signs with its own key (CLA-12)', async () => {
    const idp = await start();
    const own = await newClientKey('ES256', 'k1');
    await idp.addClient({ ...registered, jwks: { keys: [own.jwk] } }, 'thief');
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', own)));
    const mixed = await assertionOf(idp, 'thief', own, { claims: { sub: 'batch' } });
    await expectRefused(idp, withAssertion(mixed));
  });

  test('a client that registered one algorithm is held to it', async () => {
    const idp = await startIdp();
    await idp.addClient({ ...metadata, token_endpoint_auth_signing_alg: 'RS256' }, 'batch');
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', key)));
    const right = await assertionOf(idp, 'batch', rsa, { header: { kid: 'k2' } });
    expect((await idp.token(withAssertion(right))).status).toBe(200);
  });

  test.each<[string, object]>([
    ['too short', { kty: 'RSA', kid: 'k1', n: Buffer.alloc(128, 0xc1).toString('base64url'), e: 'AQAB' }],
    ['not on the curve', { kty: 'EC', crv: 'P-256', kid: 'k1', x: 'AAAA', y: 'AAAA' }],
    ['without members', { kty: 'RSA', kid: 'k1' }],
  ])('a registered key that is %s authenticates nobody, and is not our fault', async (_, jwk) => {
    const idp = await startIdp();
    await idp.addClient({ ...registered, jwks: { keys: [jwk] } }, 'batch');
    for (const own of [key, rsa])
      await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', own)));
  });

  test('an ID token or an access token of ours is no assertion', async () => {
    const shop = await startShop({ metadata: { grant_types: ['authorization_code', 'client_credentials'] } });
    const tokens = await shop.tokens();
    const own = await shop.idp.token(
      { grant_type: 'client_credentials' },
      basic('shop', shop.shop.client_secret),
    );
    for (const token of [tokens.id_token, tokens.access_token, own.body.access_token])
      await expectRefused(shop.idp, withAssertion(token));
  });
});

test('an assertion may be for the address that was called at the origin for certificates (CLA-08, RFC 8705 §5)', async () => {
  const idp = await startBehindProxy({ ISSUER: 'https://id.example/a', MTLS_ORIGIN: 'https://mtls.example' });
  await idp.addClient({ ...registered, jwks: { keys: [key.jwk] } }, 'batch');
  for (const [aud, status] of [
    ['https://mtls.example/a/token', 200],
    ['https://mtls.example/token', 401],
    ['https://mtls.example', 401],
    ['https://id.example/a/token', 200],
  ] as const) {
    const form = withAssertion(await assertionOf(idp, 'batch', key, { claims: { aud } }));
    const answer = await post(`${idp.url}/a/token`, { grant_type: 'client_credentials', ...form });
    expect([aud, answer.status]).toEqual([aud, status]);
  }
});

describe.each(engines)('an assertion is good once, on %s (hardening 20)', (engine) => {
  test('of twenty uses at once one wins', async () => {
    const idp = await start(engine);
    const form = withAssertion(await assertionOf(idp, 'batch', key));
    const answers = await atOnce(20, () => idp.token(form));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_client')).toHaveLength(19);
  });

  test('somebody replays it with another signature of the same jti', async () => {
    const idp = await start(engine);
    const claims = { jti: 'the-same' };
    expect((await idp.token(withAssertion(await assertionOf(idp, 'batch', key, { claims })))).status).toBe(
      200,
    );
    idp.advance(5);
    await expectRefused(idp, withAssertion(await assertionOf(idp, 'batch', key, { claims })));
  });

  test('two clients may use the same jti', async () => {
    const idp = await start(engine);
    await idp.addClient(metadata, 'other');
    const claims = { jti: 'the-same' };
    for (const client_id of ['batch', 'other']) {
      const { status } = await idp.token(withAssertion(await assertionOf(idp, client_id, key, { claims })));
      expect(status).toBe(200);
    }
  });

  test('an assertion that was refused is not used up', async () => {
    const idp = await start(engine);
    const assertion = await assertionOf(idp, 'batch', key);
    expect((await idp.token(withAssertion(assertion, { client_id: 'x' }))).status).toBe(401);
    expect((await idp.token(withAssertion(assertion))).status).toBe(200);
  });
});

async function start(engine: (typeof engines)[number] = 'sqlite'): Promise<TestIdp> {
  const idp = await startIdp({ engine });
  await idp.addClient(metadata, 'batch');
  return idp;
}

async function publicKeyOf() {
  const imported = await importJWK(key.jwk, 'ES256', { extractable: true });
  if (imported instanceof Uint8Array) throw new Error('not a public key');
  return imported;
}

async function expectRefused(idp: TestIdp, form: Form): Promise<void> {
  const { status, body } = await idp.token(form);
  expect([status, body.error]).toEqual([401, 'invalid_client']);
}
