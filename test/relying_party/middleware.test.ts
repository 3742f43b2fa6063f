import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  protectedResourceMetadata,
  type RequireTokenOptions,
  requireToken,
  requireTokenExpress,
  requireTokenFetch,
  type Verifier,
} from '../../src/relying_party/index.js';
import { startIssuer } from '../support/issuer.js';

const metadata = protectedResourceMetadata({
  resource: 'https://api.example.com/v1',
  authorization_servers: ['https://id.example.com'],
  scopes_supported: ['jobs:run'],
});

type Api = (authorization?: string, path?: string) => Promise<Response>;

/** The same API in each of the three ways: it answers who the token is about. */
const kinds: readonly (readonly [
  string,
  (verifier: Verifier, options: RequireTokenOptions) => Promise<Api>,
])[] = [
  [
    'Koa',
    async (verifier, options) => {
      const app = new Koa();
      app.use(metadata.koa);
      app.use(requireToken(verifier, options));
      app.use((ctx) => {
        ctx.body = ctx.state.token.sub;
      });
      return serve(app.callback());
    },
  ],
  [
    '(req, res, next)',
    async (verifier, options) => {
      const require = requireTokenExpress(verifier, options);
      return serve((req, res) => {
        const request: typeof req & { token?: { sub: string } } = req;
        metadata.express(req, res, () =>
          require(req, res, (error) => (error ? res.writeHead(500).end() : res.end(request.token?.sub))),
        );
      });
    },
  ],
  [
    'fetch',
    async (verifier, options) => {
      const handler = requireTokenFetch(
        verifier,
        options,
        (_, token, env: string) => new Response(token.sub + env),
      );
      return async (authorization, path = '/') => {
        const headers = authorization === undefined ? {} : { authorization };
        const request = new Request(`https://api.example.com${path}`, { headers });
        return metadata.fetch(request) ?? handler(request, '');
      };
    },
  ],
];

describe.each(kinds)('an API on %s', (_, make) => {
  test('lets a good token through and knows whose it is', async () => {
    const idp = await startIssuer();
    const api = await make(idp.verifier(), { scope: 'jobs:run' });
    const answer = await api(`bearer  ${await idp.token()} `);
    expect([answer.status, await answer.text()]).toEqual([200, 'u1']);
  });

  test('says nothing of errors where no token is sent (RFC 6750 §3.1, PRM-02)', async () => {
    const idp = await startIssuer();
    const api = await make(idp.verifier(), { resource_metadata: metadata.url, realm: 'jobs' });
    for (const authorization of [undefined, '', 'Basic eDp5', 'DPoP x', 'Bearerx y']) {
      const answer = await api(authorization);
      expect([answer.status, await answer.text()]).toEqual([401, '']);
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="jobs", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1"',
      );
    }
    expect((await api(undefined, '/?access_token=x')).status).toBe(401);
  });

  test.each([
    ['two tokens', 'Bearer a b', 400, 'invalid_request'],
    ['a token with strange characters', 'Bearer a"b', 400, 'invalid_request'],
    ['no token behind the scheme', 'Bearer', 400, 'invalid_request'],
    ['a token that is none', 'Bearer x', 401, 'invalid_token'],
  ])('refuses %s', async (_what, authorization, status, error) => {
    const idp = await startIssuer();
    const answer = await (await make(idp.verifier(), {}))(authorization);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('www-authenticate')).toMatch(`Bearer error="${error}"`);
  });

  test('says what a token lacks, and where to get it (RFC 9470 §3, RFC 9728 §5.1, PRM-02)', async () => {
    const idp = await startIssuer();
    const api = await make(idp.verifier(), { scope: 'jobs:write', resource_metadata: metadata.url });
    const answer = await api(`Bearer ${await idp.token()}`);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", error_description="the token lacks a scope", scope="jobs:write", resource_metadata="${metadata.url}"`,
    );
  });

  test('answers 503 while the issuer cannot be asked, with no challenge', async () => {
    const idp = await startIssuer();
    const token = await idp.token();
    await idp.stop();
    const answer = await (await make(idp.verifier(), {}))(`Bearer ${token}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
  });

  test('tells what it is and where its tokens come from (RFC 9728 §3, PRM-01)', async () => {
    const idp = await startIssuer();
    const answer = await (await make(idp.verifier(), {}))(undefined, metadata.path);
    expect(await answer.json()).toEqual({
      resource: 'https://api.example.com/v1',
      authorization_servers: ['https://id.example.com'],
      scopes_supported: ['jobs:run'],
      bearer_methods_supported: ['header'],
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });
});

test.each([
  ['https://api.example.com', 'https://api.example.com/.well-known/oauth-protected-resource'],
  ['https://api.example.com/', 'https://api.example.com/.well-known/oauth-protected-resource'],
  ['https://api.example.com/v1?a=b', 'https://api.example.com/.well-known/oauth-protected-resource/v1?a=b'],
])('the metadata of %s is at %s (RFC 9728 §3.1, PRM-01)', (resource, url) => {
  expect(protectedResourceMetadata({ resource, authorization_servers: [] }).url).toBe(url);
});

test.each([
  'api',
  'https://api.example.com/#x',
  'http://api.example.com',
  'api://default',
  'urn:example:api',
])('%s is no resource (RFC 9728 §1.2)', (resource) => {
  expect(() => protectedResourceMetadata({ resource, authorization_servers: [] })).toThrow(TypeError);
});

test('an error that is no refusal is the application’s own', async () => {
  const broken = { verify: () => Promise.reject(new Error('a bug')), close: () => undefined };
  const next = new Promise((resolve) => {
    const res = { statusCode: 200, setHeader: () => undefined, end: () => undefined };
    requireTokenExpress(broken)({ headers: { authorization: 'Bearer x' } }, res, resolve);
  });
  expect(await next).toMatchObject({ message: 'a bug' });
});

async function serve(listener: RequestListener): Promise<Api> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return (authorization, path = '/') => {
    const headers = authorization === undefined ? {} : { authorization };
    return fetch(`http://127.0.0.1:${port}${path}`, { headers });
  };
}
