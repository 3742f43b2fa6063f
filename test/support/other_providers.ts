/** Providers that are not ours, on loopback ports: oidc-provider, and a server of OAuth 2.0 alone, as GitHub is one. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type KoaContext } from 'oidc-provider';
import { onTestFinished } from 'vitest';
import { Browser } from './browser.js';

async function listen(listener: (url: string) => RequestListener) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', listener(url));
  return url;
}

/** oidc-provider with one client and one person, who is signed in when they come by. */
export async function startOidcProvider(client: object) {
  const account = { sub: 'ada-there', email: 'ada@elsewhere.example', email_verified: true, name: 'Ada L.' };
  const client_secret = 's'.repeat(43);
  let provider: Provider;
  const url = await listen((issuer) => {
    provider = new Provider(issuer, {
      clients: [{ client_id: 'here', client_secret, ...client }],
      cookies: { keys: ['k'.repeat(43)] },
      claims: {
        openid: ['sub', 'sid'],
        profile: ['name'],
        email: ['email', 'email_verified'],
        auth_time: null,
      },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => account }),
      ttl: { Interaction: 900, Grant: 3600, Session: 3600, AccessToken: 600, IdToken: 600 },
      // Without its own dispatcher, which refuses loopback addresses.
      fetch: (at: string, { dispatcher: _, ...init }: RequestInit & { readonly dispatcher?: unknown }) =>
        fetch(at, init),
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      features: {
        devInteractions: { enabled: false },
        rpInitiatedLogout: { enabled: true },
        backchannelLogout: { enabled: true },
      },
      async loadExistingGrant({ oidc }: KoaContext) {
        const grant = new provider.Grant({
          clientId: oidc.client.clientId,
          accountId: oidc.session.accountId,
        });
        grant.addOIDCScope('openid profile email');
        await grant.save();
        return grant;
      },
    });
    return (request, response) => {
      if (request.url?.startsWith('/interaction/')) void signIn(provider, request, response, account.sub);
      else provider.callback()(request, response);
    };
  });
  return { issuer: url, client_id: 'here', client_secret, account, browser: () => new Browser(url) };
}

async function signIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  accountId: string,
): Promise<void> {
  const location = await provider.interactionResult(request, response, {
    login: { accountId, amr: ['pwd'] },
  });
  response.writeHead(303, { location }).end();
}

export interface CodeHostPerson {
  readonly id: number;
  readonly login: string;
  readonly name: string | null;
  readonly email: string | null;
}

/** A server as GitHub is one: its people have numbers, errors come with 200, addresses from an endpoint of their own. */
export async function startCodeHost(person: Partial<CodeHostPerson> = {}) {
  const user = {
    id: 583231,
    login: 'ada',
    name: 'Ada L.',
    email: null,
    avatar_url: 'https://a.example/1',
    ...person,
  };
  const emails: object[] = [
    { email: 'ada@old.example', primary: false, verified: true },
    { email: 'ada@elsewhere.example', primary: true, verified: true },
  ];
  const codes = new Map<string, string>();
  /** What it answers in the place of the truth, by path. */
  const instead = new Map<string, (response: ServerResponse) => void>();
  const url = await listen(() => async (request, response) => {
    const at = new URL(request.url ?? '', 'http://host.example');
    const replaced = instead.get(at.pathname);
    if (replaced !== undefined) return replaced(response);
    const form = new URLSearchParams(await textOf(request));
    const json = (body: unknown, status = 200) =>
      response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(body));
    if (at.pathname === '/login/oauth/authorize') {
      const code = crypto.randomUUID();
      codes.set(code, at.searchParams.get('code_challenge') ?? '');
      const back = new URL(at.searchParams.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({ code, state: at.searchParams.get('state') ?? '' }).toString();
      return response.writeHead(302, { location: back.href }).end();
    }
    if (at.pathname === '/login/oauth/access_token') {
      const known = codes.delete(form.get('code') ?? '') && form.get('client_secret') === 'secret';
      if (!known || !form.has('code_verifier')) return json({ error: 'bad_verification_code' });
      return json({ access_token: 'gho_1', token_type: 'bearer', scope: 'read:user,user:email' });
    }
    if (request.headers.authorization?.toLowerCase() !== 'bearer gho_1') return json({ message: 'no' }, 401);
    return at.pathname === '/user' ? json(user) : json(emails);
  });
  return {
    url,
    user,
    emails,
    instead,
    /** What is registered of it. */
    columns: {
      kind: 'oauth2',
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
      userinfo_endpoint: `${url}/user`,
      emails_endpoint: `${url}/user/emails`,
      claim_names: JSON.stringify({ sub: 'id', preferred_username: 'login', picture: 'avatar_url' }),
      client_id: 'here',
      client_secret: 'secret',
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'read:user user:email',
    },
    /** The person goes there, and is sent back. */
    async visit(location: string): Promise<string> {
      return (await fetch(location, { redirect: 'manual' })).headers.get('location') ?? '';
    },
  } as const;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
