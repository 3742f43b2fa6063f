/**
 * A small relying application on a site of its own, written with openid-client as an integrator would. It keeps its sessions in
 * memory, by a cookie of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as openid from 'openid-client';
import { onTestFinished } from 'vitest';
import type { NewClient } from '../../src/actions/clients.js';
import type { TestIdp } from './idp.js';

export interface AppOptions {
  /** Also its client_name. */
  readonly name: string;
  /** 127.0.0.1 unless told otherwise; another host is another site. */
  readonly host?: string;
  readonly metadata?: object;
  /** Registers a home page, a logo, a policy and terms, all of them here. */
  readonly documents?: boolean;
  /** Registers a frontchannel_logout_uri here. */
  readonly frontchannel?: boolean;
}

/** One blue pixel. */
const logo = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNgsHr5HwAEFAKTKTU+UAAAAABJRU5ErkJggg==',
  'base64',
);

interface Pending {
  readonly code_verifier: string;
  readonly nonce: string;
}

interface SignedIn {
  readonly email: string;
  readonly sub: string;
  readonly sid: string;
  readonly auth_time: number;
  readonly id_token: string;
}

export interface RelyingApp {
  readonly origin: string;
  readonly client: NewClient;
  /** Begins a sign-in here; the query is added to the authorization request. */
  readonly login: string;
  /** Begins a sign-out everywhere, with the id_token_hint. */
  readonly logout: string;
  /** Who signed in last. */
  last(): SignedIn | undefined;
}

/**
 * Paths: `/` says who is signed in, `/login` and `/logout` start, with `?by=post` through a form that crosses sites, `/cb` takes the
 * answer, `/told` is told of sign-outs by a frame, and `/bye` is where a sign-out ends.
 */
export async function startApp(idp: TestIdp, options: AppOptions): Promise<RelyingApp> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const origin = `http://${options.host ?? '127.0.0.1'}:${port}`;
  const client = await idp.addClient({
    client_name: options.name,
    redirect_uris: [`${origin}/cb`],
    post_logout_redirect_uris: [`${origin}/bye`],
    scope: 'openid profile email offline_access',
    ...(options.documents && {
      client_uri: `${origin}/`,
      logo_uri: `${origin}/logo.png`,
      policy_uri: `${origin}/policy`,
      tos_uri: `${origin}/terms`,
    }),
    ...(options.frontchannel && {
      frontchannel_logout_uri: `${origin}/told?kept=1`,
      frontchannel_logout_session_required: true,
    }),
    ...options.metadata,
  });
  const app = new App(idp, client, options.name, origin);
  server.on('request', (request, response) => {
    app.handle(request, response).catch((error: unknown) => {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
      app.page(response, `<p id="error">${html(message)}</p>`, 500);
    });
  });
  return {
    origin,
    client,
    login: `${origin}/login`,
    logout: `${origin}/logout`,
    last: () => app.last,
  };
}

class App {
  readonly #pending = new Map<string, Pending>();
  readonly #sessions = new Map<string, SignedIn>();
  last: SignedIn | undefined;

  constructor(
    private readonly idp: TestIdp,
    private readonly client: NewClient,
    private readonly name: string,
    private readonly origin: string,
  ) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    switch (url.pathname) {
      case '/login':
        return this.#login(response, url.searchParams);
      case '/logout':
        return this.#logout(request, response, url.searchParams);
      case '/cb':
        return this.#callback(request, response, url);
      case '/told':
        return this.#told(response, url.searchParams);
      case '/bye':
        return this.page(
          response,
          `<h1>${html(this.name)}: goodbye</h1><p id="query">${html(url.search)}</p>`,
        );
      case '/logo.png':
        response.writeHead(200, { 'content-type': 'image/png' }).end(logo);
        return;
      case '/':
        return this.#home(request, response);
      default:
        response.writeHead(204).end();
    }
  }

  page(response: ServerResponse, body: string, status = 200): void {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><html lang="en"><title>${html(this.name)}</title>${body}`);
  }

  #home(request: IncomingMessage, response: ServerResponse): void {
    const who = this.#sessions.get(cookieOf(request))?.email ?? 'nobody';
    this.page(response, `<h1>${html(this.name)}</h1><p id="who">${html(who)}</p>`);
  }

  async #login(response: ServerResponse, query: URLSearchParams): Promise<void> {
    const code_verifier = openid.randomPKCECodeVerifier();
    const state = openid.randomState();
    const nonce = openid.randomNonce();
    this.#pending.set(state, { code_verifier, nonce });
    const { by, ...more } = Object.fromEntries(query);
    this.#send(
      response,
      openid.buildAuthorizationUrl(await this.#configuration(), {
        redirect_uri: `${this.origin}/cb`,
        scope: 'openid profile email',
        code_challenge: await openid.calculatePKCECodeChallenge(code_verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...more,
      }),
      by,
    );
  }

  async #logout(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const id_token = this.#sessions.get(cookieOf(request))?.id_token;
    this.#sessions.delete(cookieOf(request));
    const { by, ...more } = Object.fromEntries(query);
    this.#send(
      response,
      openid.buildEndSessionUrl(await this.#configuration(), {
        post_logout_redirect_uri: `${this.origin}/bye`,
        ...(id_token !== undefined && { id_token_hint: id_token }),
        ...more,
      }),
      by,
    );
  }

  async #callback(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const answer = request.method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams;
    const error = answer.get('error');
    if (error !== null) {
      this.#sessions.delete(cookieOf(request));
      return this.page(response, `<h1>${html(this.name)}</h1><p id="error">${html(error)}</p>`);
    }
    const state = answer.get('state') ?? '';
    const pending = this.#pending.get(state);
    if (pending === undefined) throw new Error('a state that this app did not send');
    const tokens = await openid.authorizationCodeGrant(
      await this.#configuration(),
      new URL(`${this.origin}/cb?${answer}`),
      { pkceCodeVerifier: pending.code_verifier, expectedState: state, expectedNonce: pending.nonce },
    );
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('there is no ID token');
    const { sub, email, sid, auth_time = 0 } = claims;
    const id_token = tokens.id_token ?? '';
    const session = { sub, email: String(email), sid: String(sid), auth_time, id_token };
    const cookie = openid.randomState();
    this.#sessions.set(cookie, session);
    this.last = session;
    response.setHeader('set-cookie', `app=${cookie}; Path=/; HttpOnly; SameSite=Lax`);
    response.writeHead(303, { location: `${this.origin}/` }).end();
  }

  /** Front-Channel Logout §3: the session it names ends, if the issuer is ours. */
  #told(response: ServerResponse, query: URLSearchParams): void {
    const over = [...this.#sessions].filter(
      ([, { sid }]) => sid === query.get('sid') && query.get('iss') === this.idp.issuer,
    );
    for (const [cookie] of over) this.#sessions.delete(cookie);
    response.setHeader('cache-control', 'no-store');
    this.page(response, '<p>told</p>');
  }

  /** By a redirect or, with `?by=post`, by a form that the person submits. */
  #send(response: ServerResponse, to: URL, by: string | undefined): void {
    if (by !== 'post') {
      response.writeHead(303, { location: to.href }).end();
      return;
    }
    const fields = [...to.searchParams].map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${html(value)}">`,
    );
    const action = `${to.origin}${to.pathname}`;
    this.page(
      response,
      `<form method="post" action="${action}">${fields.join('')}<button id="go">Go</button></form>`,
    );
  }

  /** A new one each time, whose clock is the server's: tests move that. */
  async #configuration(): Promise<openid.Configuration> {
    const { client, client_secret } = this.client;
    const clockSkew = this.idp.now() - Math.floor(Date.now() / 1000);
    return openid.discovery(
      new URL(this.idp.issuer),
      client.client_id,
      { [openid.clockSkew]: clockSkew },
      client_secret === null ? openid.None() : openid.ClientSecretBasic(client_secret),
      { execute: [openid.allowInsecureRequests] },
    );
  }
}

function cookieOf(request: IncomingMessage): string {
  return /(?:^|; )app=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
}

function html(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
