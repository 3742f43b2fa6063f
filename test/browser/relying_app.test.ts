/** An application that signs people in by src/relying_party/sign_in, behind Koa, in a real browser. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { createSignIn, koaSignIn, memorySessions } from '../../src/relying_party/sign_in/index.js';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';

/** The application on 127.0.0.1, another site than the server's localhost; its start page asks whether to sign out. */
async function started(response_mode: 'query' | 'form_post' = 'query') {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const { server, origin } = await listening();
  const { client, client_secret } = await idp.addClient({
    redirect_uris: [`${origin}/callback`],
    post_logout_redirect_uris: [`${origin}/`],
    scope: 'openid email',
  });
  const signIn = createSignIn({
    // The server listens on 127.0.0.1 alone, and Node need not know localhost by that name.
    fetch: ((input: string | URL, init?: RequestInit) =>
      fetch(String(input).replace('//localhost:', '//127.0.0.1:'), init)) as typeof fetch,
    issuer: idp.issuer,
    client_id: client.client_id,
    client_secret: client_secret ?? '',
    redirect_uri: `${origin}/callback`,
    post_logout_redirect_uri: `${origin}/`,
    scope: 'openid email',
    sessions: memorySessions(),
    response_mode,
  });
  const app = new Koa();
  app.use(koaSignIn(signIn));
  app.use(async (ctx) => {
    const person = await signIn.session(ctx.req);
    ctx.type = 'html';
    ctx.body = `<!doctype html><html lang="en"><title>App</title><p id="who">${person?.claims.email ?? 'nobody'}</p>`;
  });
  server.on('request', app.callback());
  return { idp, origin, ...(await newVisit()) };
}

async function listening(): Promise<{ readonly server: Server; readonly origin: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test.each(['query', 'form_post'] as const)(
  'a person signs in by %s, goes Back, and signs out',
  async (mode) => {
    const { origin, page } = await started(mode);
    await page.goto(`${origin}/login?return_to=/orders`);
    await typeCredentials(page);
    await page.waitForURL(`${origin}/orders`);
    expect(await page.textContent('#who')).toBe('ada@example.com');
    await page.goto(`${origin}/login?return_to=/again`); // the server knows the person: no page
    await page.waitForURL(`${origin}/again`);

    await page.goto(`${origin}/logout`);
    await follow(page, 'button');
    await page.waitForURL(`${origin}/`);
    expect(await page.textContent('#who')).toBe('nobody');
    await page.goto(`${origin}/login?silent=1`);
    expect([page.url(), await page.textContent('#who')]).toEqual([`${origin}/`, 'nobody']);
  },
);

test('three tabs that begin at once all get in', async () => {
  const { newTab, origin, page } = await started();
  const tabs = [page, await newTab(), await newTab()];
  await Promise.all(tabs.map((tab, index) => tab.goto(`${origin}/login?return_to=/${index}`)));
  for (const [index, tab] of tabs.entries()) {
    // Of three first visits at the same moment one gives the browser its cookie; a form of another may be shown once more (decisions 12).
    for (let tries = 0; tries < 3 && (await tab.$('input[type=password]')) !== null; tries += 1)
      await typeCredentials(tab);
    await tab.waitForURL(`${origin}/${index}`);
    expect(await tab.textContent('#who')).toBe('ada@example.com');
  }
});

test('another site’s form signs nobody out', async () => {
  const { origin, page } = await started();
  await page.goto(`${origin}/login`);
  await typeCredentials(page);
  const { origin: attacker, server } = await listening();
  server.on('request', (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      `<title>x</title><form method="post" action="${origin}/logout"><button>Win a prize</button></form>`,
    );
  });
  await page.goto(attacker.replace('127.0.0.1', 'localhost'));
  await page.click('button');
  await page.waitForURL(`${origin}/logout`);
  expect(await page.textContent('h1')).toBe('That did not work');
  await page.goto(origin);
  expect(await page.textContent('#who')).toBe('ada@example.com');
});
