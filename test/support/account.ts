/** The account pages, as a person walks through them. */
import { expect } from 'vitest';
import { statement } from '../../src/store/statement.js';
import { ask, signedInBrowser } from './authorize.js';
import type { Browser, Page } from './browser.js';
import { formBody, type TestIdp } from './idp.js';
import { userAgents } from './user_agents.js';

/** A browser in which somebody signed in, which says that it is this one and comes from this address. */
export async function signedInWith(
  idp: TestIdp,
  user_agent: string = userAgents.firefox_linux,
  email = 'ada@example.com',
): Promise<Browser> {
  const browser = idp.browser();
  await browser.get('/login');
  const page = await browser.get('/login');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  const body = formBody({ csrf, email, password: 'correct horse battery staple', action: 'sign_in' });
  const headers = { 'user-agent': user_agent };
  expect((await browser.request('/login', { method: 'POST', body, headers })).status).toBe(303);
  return browser;
}

/** A browser that allowed the application `shop` to use its account. */
export async function withApplication(idp: TestIdp, scope = 'openid email'): Promise<Browser> {
  const browser = await signedInBrowser(idp);
  await browser.submit(await ask(browser, 'shop', { scope }), { action: 'allow' });
  return browser;
}

/** Posts to a page of the account with the token of its form, and gives what comes of it, redirects followed. */
export async function change(
  browser: Browser,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<Page> {
  const { html } = await browser.get('/account/profile'); // a form that everybody has
  const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
  return browser.post(path, { csrf, ...fields });
}

const queued = statement<object, { client_id: string }>((sql) =>
  sql('outbox').select('client_id').orderBy('client_id'),
);

/** The clients that logout tokens are queued for, one for each session. */
export async function logoutsOf(idp: TestIdp): Promise<readonly string[]> {
  return (await idp.db.all(queued, {})).map(({ client_id }) => client_id);
}

/** Asks for the deletion of one's account, and signs in again. */
export async function deletedAndBack(idp: TestIdp): Promise<Browser> {
  await change(await signedInBrowser(idp), '/account/delete', { typed: 'ada@example.com', action: 'delete' });
  return signedInWith(idp);
}
