/** The same handlers behind Koa and behind `(req, res, next)`, on real sockets. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadReceipt, signOutEverywhere } from '../../../src/actions/sessions.js';
import { startSender } from '../../../src/jobs/outbox.js';
import {
  createSignIn,
  expressSignIn,
  koaSignIn,
  memorySessions,
  type SignIn,
  type SignInOptions,
} from '../../../src/relying_party/sign_in/index.js';
import { Browser } from '../../support/browser.js';
import { signIn as typePassword } from '../../support/flow.js';
import { startIdp } from '../../support/idp.js';
import { rawRequest } from '../../support/raw_http.js';

type Adapter = (signIn: SignIn) => RequestListener;

const onKoa: Adapter = (signIn) => {
  const app = new Koa();
  app.use(koaSignIn(signIn));
  app.use(async (ctx) => {
    ctx.body = (await signIn.session(ctx.req))?.claims.email ?? 'nobody';
  });
  app.silent = true; // what is thrown is answered 500, and written nowhere
  return app.callback();
};

const onExpress: Adapter = (signIn) => {
  const middleware = expressSignIn(signIn);
  return (request: IncomingMessage, response: ServerResponse) => {
    middleware(request, response, (error) => {
      if (error) return void response.writeHead(500).end('the store is out of order');
      void signIn.session(request).then((person) => response.end(person?.claims.email ?? 'nobody'));
    });
  };
};

/** As behind express.urlencoded(): the body is read before the sign-in sees the request. */
const behindParser: Adapter = (signIn) => {
  const next = onExpress(signIn);
  return async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    next(Object.assign(request, { body: Object.fromEntries(new URLSearchParams(text)) }), response);
  };
};

async function startApp(adapter: Adapter, options: Partial<SignInOptions> = {}) {
  const idp = await startIdp();
  const ada = await idp.addUser();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const redirect_uri = `${origin}/auth/callback`;
  const { client, client_secret } = await idp.addClient({
    redirect_uris: [redirect_uri],
    post_logout_redirect_uris: [`${origin}/`],
    backchannel_logout_uri: `${origin}/auth/backchannel-logout`,
    scope: 'openid email',
  });
  const signIn = createSignIn({
    issuer: idp.issuer,
    client_id: client.client_id,
    client_secret: client_secret ?? '',
    redirect_uri,
    post_logout_redirect_uri: `${origin}/`,
    scope: 'openid email',
    sessions: memorySessions(),
    ...options,
  });
  server.on('request', adapter(signIn));
  return { idp, ada, origin, browser: new Browser(origin) };
}

const adapters: readonly (readonly [string, Adapter])[] = [
  ['Koa', onKoa],
  ['Express', onExpress],
  ['Express with a body parser', behindParser],
];

describe.each(adapters)('behind %s', (_, adapter) => {
  test.each(['query', 'form_post'] as const)('a person signs in by %s, and out', async (response_mode) => {
    const { browser, idp, origin } = await startApp(adapter, { response_mode });
    expect((await browser.get('/')).html).toBe('nobody');
    const asked = await browser.get('/auth/login?return_to=/orders');
    const server = idp.browser();
    const page = await typePassword(server, await server.get(asked.headers.get('location') ?? ''));
    const fields = [...page.html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    const done =
      response_mode === 'query'
        ? await browser.get(page.headers.get('location') ?? '')
        : await browser.post('/auth/callback', Object.fromEntries(fields));
    expect([done.url, done.html]).toEqual([`${origin}/orders`, 'ada@example.com']);

    const out = await browser.post('/auth/logout', {}, { origin });
    expect(out.headers.get('location')).toContain(`${idp.issuer}/logout?`);
    expect((await browser.get('/')).html).toBe('nobody');
  });

  test('a person who is signed out everywhere is signed out here, by a logout token of the server (BCL-01, BCL-03)', async () => {
    const { idp, ada, origin } = await startApp(adapter);
    await idp.addUser({ email: 'bob@example.com' });
    const visit = async (email: string) => {
      const [browser, server] = [new Browser(origin), idp.browser()];
      const asked = await browser.get('/auth/login');
      const login = await server.get(asked.headers.get('location') ?? '');
      const page = await typePassword(server, login, { email });
      await browser.get(page.headers.get('location') ?? '');
      return browser;
    };
    const browsers = [await visit(ada.email), await visit(ada.email), await visit('bob@example.com')];
    const shown = async () => Promise.all(browsers.map(async (browser) => (await browser.get('/')).html));
    expect(await shown()).toEqual([ada.email, ada.email, 'bob@example.com']);

    const sender = startSender(idp.deps);
    onTestFinished(() => sender.stop());
    const { receipt_id, sessions } = await signOutEverywhere(idp.deps, ada.id, idp.now());
    await sender.flush();
    const { messages } = await loadReceipt(idp.deps, receipt_id);
    expect([sessions, messages]).toMatchObject([
      2,
      [
        { state: 'answered', answer: 'answered 200', attempts: 1 },
        { state: 'answered', answer: 'answered 200', attempts: 1 },
      ],
    ]);
    expect(await shown()).toEqual(['nobody', 'nobody', 'bob@example.com']);
  });

  test('what is too long, or of another kind, is a page and no hang', async () => {
    const { browser } = await startApp(adapter);
    const form = { code: 'x'.repeat(200_000) };
    expect((await browser.post('/auth/callback', form)).status).toBe(400);
    expect((await browser.request('/auth/logout', { method: 'PUT' })).status).toBe(405);
    const token = await browser.post('/auth/backchannel-logout', { logout_token: 'x' });
    expect([token.status, JSON.parse(token.html).error]).toEqual([400, 'invalid_request']);
    expect((await browser.get('/')).status).toBe(200);
  });

  test.each(['//auth/login', '/auth//login', '/auth/login/', '*', 'http://127.0.0.1/auth/login', '/%'])(
    'the target %s is the app’s',
    async (target) => {
      const { origin } = await startApp(adapter);
      expect(await rawRequest(origin, { path: target })).toMatchObject({ status: 200, body: 'nobody' });
    },
  );

  test('a Host header decides nothing', async () => {
    const { idp, origin } = await startApp(adapter);
    const { headers } = await rawRequest(origin, {
      path: '/auth/login',
      headers: { host: 'attacker.example' },
    });
    const location = new URL(String(headers.location));
    expect(location.origin).toBe(idp.issuer);
    expect(location.searchParams.get('redirect_uri')).toBe(`${origin}/auth/callback`);
  });

  test('what the session store throws is the app’s to answer', async () => {
    const failing = {
      ...memorySessions(),
      find: () => Promise.reject(new Error('the store is out of order')),
    };
    const { origin } = await startApp(adapter, { sessions: failing });
    const headers = { cookie: `app_session=${'a'.repeat(43)}` };
    expect((await rawRequest(origin, { path: '/auth/login', headers })).status).toBe(500);
  });
});
