import { decodeJwt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import { basic, type Form, startIdp } from '../support/idp.js';
import { eventsOf, familiesOf } from '../support/shop.js';

const metadata = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  scope: 'openid profile reports:read reports:write',
};

test('grant_type=client_credentials gives an access token of the client itself (RFC 6749 §4.4; RFC 9068 §2.2, CCG-02)', async () => {
  const { idp, ask } = await start();
  const { status, headers, body } = await ask({});
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'reports:read reports:write',
  });
  expect(decodeProtectedHeader(body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
  expect(decodeJwt(body.access_token)).toEqual({
    iss: idp.issuer,
    sub: 'batch',
    client_id: 'batch',
    aud: idp.issuer,
    iat: idp.now(),
    exp: idp.now() + 600,
    jti: expect.any(String),
    scope: 'reports:read reports:write',
    status: {
      status_list: { idx: expect.any(Number), uri: expect.stringContaining(`${idp.issuer}/status-lists/`) },
    },
  });
});

test('there is neither a refresh token nor an ID token, whatever is asked for (RFC 6749 §4.4.3; RFT-08, CCG-02)', async () => {
  const { ask } = await start({
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: ['https://shop.example/cb'],
    scope: 'offline_access reports:read',
  });
  const { body } = await ask({});
  expect([body.refresh_token, body.id_token, body.scope]).toEqual([undefined, undefined, 'reports:read']);
});

test('the scope may be narrower', async () => {
  const { ask } = await start();
  const { body } = await ask({ scope: 'reports:read' });
  expect([body.scope, decodeJwt(body.access_token).scope]).toEqual(['reports:read', 'reports:read']);
});

test('a client without scopes of its own gets a token without scope', async () => {
  const { ask } = await start({ scope: 'openid' });
  const { status, body } = await ask({});
  expect([status, body.scope]).toEqual([200, undefined]); // an empty one is none: RFC 6749 §3.3
  expect(decodeJwt(body.access_token)).not.toHaveProperty('scope');
});

test.each<[string, Form, string]>([
  ['scope is openid: nobody is signed in (CCG-03)', { scope: 'openid' }, 'invalid_scope'],
  ['scope is another one of OpenID Connect', { scope: 'reports:read profile' }, 'invalid_scope'],
  ['scope is not the client’s', { scope: 'reports:delete' }, 'invalid_scope'],
  ['scope has a character that is not allowed', { scope: 'reports:read "x"' }, 'invalid_scope'],
  ['scope has more than 100 words (hardening 21)', { scope: manyWords() }, 'invalid_scope'],
  ['scope is longer than 2,048 characters', { scope: 'a'.repeat(2049) }, 'invalid_request'],
  ['resource is unknown', { resource: 'https://unknown.example' }, 'invalid_target'],
  ['resource is no URI', { resource: 'reports' }, 'invalid_target'],
])('refuses when %s', async (_, change, error) => {
  const { ask } = await start();
  const { status, body } = await ask(change);
  expect([status, body.error]).toEqual([400, error]);
});

test('a public client may not use it (CCG-01)', async () => {
  const idp = await startIdp();
  await idp.addClient({ token_endpoint_auth_method: 'none' }, 'spa');
  const { status, body } = await idp.token({ grant_type: 'client_credentials', client_id: 'spa' });
  expect([status, body.error]).toEqual([400, 'unauthorized_client']);
});

test('it cannot even be registered for a public client (CCG-01)', async () => {
  const idp = await startIdp();
  await expect(idp.addClient({ ...metadata, token_endpoint_auth_method: 'none' })).rejects.toThrow(
    'grant_types: client_credentials is for confidential clients alone',
  );
});

test('userinfo refuses such a token: there is nobody to tell of (CCG-03)', async () => {
  const { idp, ask } = await start();
  const { status, headers } = await idp.userinfo((await ask({})).body.access_token);
  expect([status, headers.get('www-authenticate')]).toEqual([
    403,
    expect.stringContaining('error="insufficient_scope"'),
  ]);
});

test('nothing is written, and each token has an id of its own', async () => {
  const { idp, ask } = await start();
  const answers = await Promise.all([ask({}), ask({}), ask({})]);
  const ids = answers.map(({ body }) => decodeJwt(body.access_token).jti);
  expect(new Set(ids).size).toBe(3);
  expect(await familiesOf(idp)).toEqual([]);
  expect(await eventsOf(idp, 'signed_in')).toEqual([]);
});

test('a client that was disabled gets no more (COD-09)', async () => {
  const { idp, ask } = await start();
  await disableClient(idp.deps, 'batch', true, idp.now());
  const { status, body } = await ask({});
  expect([status, body.error]).toEqual([401, 'invalid_client']);
});

function manyWords(): string {
  return Array.from({ length: 101 }, (_, index) => `w${index}`).join(' ');
}

async function start(changes: object = {}) {
  const idp = await startIdp();
  const { client_secret } = await idp.addClient({ ...metadata, ...changes }, 'batch');
  const ask = (form: Form) =>
    idp.token({ grant_type: 'client_credentials', ...form }, basic('batch', client_secret));
  return { idp, ask };
}

test('an API at which the client has no scope: invalid_target; one where it has, or that is its default, is fine', async () => {
  const { idp, ask } = await start({ default_resource: 'https://default.example' });
  await idp.addResource('https://reports.example', 'reports:read');
  await idp.addResource('https://bank.example', 'pay');
  await idp.addResource('https://open.example');
  await idp.addResource('https://default.example');
  const errorFor = async (...resource: string[]) => (await ask({ resource })).body.error;
  expect(await errorFor('https://reports.example')).toBeUndefined();
  expect(await errorFor('https://default.example')).toBeUndefined();
  expect(await errorFor(idp.issuer)).toBeUndefined();
  expect(await errorFor('https://bank.example')).toBe('invalid_target');
  expect(await errorFor('https://open.example')).toBe('invalid_target');
  expect(await errorFor('https://reports.example', 'https://bank.example')).toBe('invalid_target');
});
