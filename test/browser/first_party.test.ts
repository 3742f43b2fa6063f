import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { newVisit } from '../support/chromium.js';
import { ownClient } from '../support/first_party.js';
import { password, startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

/** A site of the same host as the server, on another port: another origin, and the same site. */
async function startPage(): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>Site</title><link rel="icon" href="data:,">');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`; // a TCP server has one
}

/** What the site's script does: a request with cookies. */
function ask(page: Page, url: string, body?: object): Promise<{ status: number; text: string }> {
  const send = async ([to, text]: readonly [string, string | null]) => {
    const headers = { 'content-type': 'application/json' };
    const posted = text === null ? {} : { method: 'POST', headers, body: text };
    const response = await fetch(to, { credentials: 'include', ...posted });
    return { status: response.status, text: await response.text() };
  };
  return page.evaluate(send, [url, body === undefined ? null : JSON.stringify(body)] as const);
}

test('a page signs in, refreshes in two tabs at once and signs out, and never sees a token', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const origin = await startPage();
  await idp.addClient({ ...ownClient, allowed_origins: [origin], scope: 'openid email' }, 'site');
  const visit = await newVisit();
  const { page } = visit;
  await page.goto(origin);
  const client_id = 'site';
  const names = async (path: string) =>
    (await page.context().cookies(idp.issuer + path)).map(({ name }) => name).toSorted();

  const signedIn = await ask(page, `${idp.issuer}/users/login`, {
    ...{ client_id, email: 'ada@example.com', password },
  });
  expect([signedIn.status, signedIn.text]).toEqual([200, '{"expires_in":600,"scope":"openid email"}']);
  expect(await page.evaluate('document.cookie')).toBe('');
  expect(await names('/users/me')).toEqual(['sallyport_access', 'sallyport_device']);
  expect(await names('/users/refresh-token')).toContain('sallyport_refresh');
  const me = () => ask(page, `${idp.issuer}/users/me`);
  expect(JSON.parse((await me()).text).email).toBe('ada@example.com');

  idp.advance(600); // the access token has expired; both tabs notice at the same time
  const tab = await visit.newTab();
  await tab.goto(origin);
  const answers = await Promise.all(
    [page, tab].map((each) => ask(each, `${idp.issuer}/users/refresh-token`, { client_id })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect((await me()).status).toBe(200);

  expect((await ask(tab, `${idp.issuer}/users/logout`, { client_id })).status).toBe(204);
  expect(await names('/users/refresh-token')).toEqual(['sallyport_device']);
  expect(await eventsOf(idp, 'signed_out')).toHaveLength(1);
});
