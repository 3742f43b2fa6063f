/** The API of the demo, which verifies access tokens offline, with an issuer of the test's own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createApi } from '../../src/demo/api.js';

describe('the API', () => {
  test.each([
    ['is what it should be', {}, 200, undefined],
    ['is for another API', { aud: 'https://other.example' }, 401, 'invalid_token'],
    ['is from another issuer', { iss: 'https://other.example' }, 401, 'invalid_token'],
    ['has expired', { exp: 1_000_000_000 }, 401, 'invalid_token'],
    ['is an ID token', { typ: 'JWT' }, 401, 'invalid_token'],
    ['names no client', { client_id: undefined }, 401, 'invalid_token'],
    ['has no scope', { scope: undefined }, 403, 'insufficient_scope'],
    ['has another scope', { scope: 'openid api:read_all' }, 403, 'insufficient_scope'],
  ])('a token that %s', async (_, change, status, error) => {
    const api = await startApi();
    const answer = await api.call(await api.token(change));
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('asks for the keys once, and refuses what they did not sign', async () => {
    const api = await startApi();
    const token = await api.token({});
    const statuses = [];
    for (const text of [token, `${token.slice(0, -6)}AAAAAA`, 'rubbish', token])
      statuses.push((await api.call(text)).status);
    expect([statuses, api.fetches()]).toEqual([[200, 401, 401, 200], 1]);
  });

  test('without the keys says that it is not the token’s fault', async () => {
    const api = await startApi({ keys: false });
    expect((await api.call(await api.token({}))).status).toBe(503);
  });
});

const keyPair = generateKeyPair('RS256');

/** The API with an issuer of the test's own, whose tokens can be wrong in every way. */
async function startApi({ keys = true } = {}) {
  const { privateKey, publicKey } = await keyPair;
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] };
  let fetches = 0;
  const issuer: string = await serve((request, response) => {
    const metadata = request.url !== '/jwks';
    if (!metadata) fetches += 1;
    const body = metadata ? { issuer, jwks_uri: `${issuer}/jwks` } : jwks;
    const status = metadata || keys ? 200 : 500;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const options = { issuer, audience: 'https://api.example', report: () => undefined };
  const api = createApi(options);
  onTestFinished(() => api.close());
  const url = await serve(api.app.callback());
  return {
    fetches: () => fetches,
    token: (change: TokenChange) => signToken(privateKey, { iss: issuer, aud: options.audience, ...change }),
    async call(token: string) {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, body: (await response.json()) as { error?: string } };
    },
  };
}

type TokenChange = Readonly<Record<string, string | number | undefined>>;

function signToken(key: CryptoKey, { typ = 'at+jwt', ...change }: TokenChange): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { sub: 'u', client_id: 'c', scope: 'openid api:read', iat, exp: iat + 600, ...change };
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k', typ: String(typ) }).sign(key);
}

async function serve(handler: Parameters<typeof createServer>[1] & object): Promise<string> {
  const server = createServer(handler as Parameters<typeof createServer>[0] & object);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
