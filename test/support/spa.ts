/**
 * A single-page application with oidc-client-ts, as its documentation has it: `/` is the application, `/cb` and `/silent` take the
 * answers to sign-ins, and `/bye` those to sign-outs.
 */
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { newVisit, typeCredentials } from './chromium.js';
import { startSameSite } from './same_site.js';

const bundle = readFileSync(
  new URL('dist/browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts/package.json')),
);

/** The application renews its tokens and watches the session where `settings` say so. */
const application = `
const manager = new oidc.UserManager(settings);
const events = [];
manager.events.addUserLoaded(() => events.push('userLoaded'));
manager.events.addSilentRenewError(({ error }) => events.push('silentRenewError ' + error));
manager.events.addUserSignedIn(() => events.push('userSignedIn'));
manager.events.addUserSignedOut(() => events.push('userSignedOut'));
manager.events.addUserSessionChanged(() => events.push('userSessionChanged'));
const answers = [];
addEventListener('message', ({ data, origin }) => origin === settings.authority && answers.push(data));
// Errors become values, which a test can read: a refusal of the server its code, any other what it says.
async function call(name) {
  try {
    return { ...(await manager[name]()) };
  } catch (error) {
    return { error: error.error ?? String(error) };
  }
}`;

/** These are loaded in frames and windows of their own: they leave renewing and watching to the application. */
const answering = `
const manager = new oidc.UserManager({ ...settings, automaticSilentRenew: false, monitorSession: false });`;

/** Each goes on only where the answer belongs to a request of this application. */
const scripts: Readonly<Record<string, string>> = {
  '/': application,
  '/cb': `${answering}\nmanager.signinCallback().then((user) => user && location.replace('/'));`,
  '/silent': `${answering}\nmanager.signinSilentCallback();`,
  '/bye': `${answering}\nmanager.signoutCallback().then((response) => response && location.replace('/'));`,
};

/** All of them, on every host. The settings are known once the hosts are. */
function pages(settings: () => object): RequestListener {
  return (req, res) => {
    const path = new URL(req.url ?? '/', 'https://app.example').pathname;
    if (path === '/oidc-client-ts.js') {
      res.writeHead(200, { 'content-type': 'text/javascript' }).end(bundle);
      return;
    }
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    res.end(`<!doctype html>
<title>A single-page application</title>
<link rel="icon" href="data:,">
<body>
<script src="/oidc-client-ts.js"></script>
<script>
const settings = ${JSON.stringify(settings())};
${scripts[path]}
</script>
</body>`);
  };
}

export interface SpaOptions {
  /** Of the same site as the server unless told otherwise. */
  readonly host?: string;
  /** Where the answers come, if that is another; what its own scripts may do then follows from allowed_origins. */
  readonly answers_host?: string;
  /** Settings of oidc-client-ts, beside the usual ones. */
  readonly settings?: object;
  readonly metadata?: object;
}

/** Starts it, on a new server with one person, and opens it in a new browser. */
export async function startSpa({ host = 'spa.sp.localhost', ...options }: SpaOptions = {}) {
  let settings: object = {};
  const { idp, origin } = await startSameSite(pages(() => settings));
  await idp.addUser();
  const own = origin(host);
  const answers = origin(options.answers_host ?? host);
  const client = {
    redirect_uris: [`${answers}/cb`, `${answers}/silent`],
    post_logout_redirect_uris: [`${own}/bye`],
    allowed_origins: answers === own ? [] : [own],
    ...options.metadata,
  };
  await idp.addClient({ token_endpoint_auth_method: 'none', ...client }, 'spa');
  settings = {
    ...{ authority: idp.issuer, client_id: 'spa', automaticSilentRenew: false },
    ...{ redirect_uri: `${answers}/cb`, silent_redirect_uri: `${answers}/silent` },
    ...{ iframeScriptOrigin: answers, iframeNotifyParentOrigin: own },
    ...{ post_logout_redirect_uri: `${own}/bye`, ...options.settings },
  };
  const visit = await newVisit({ ignoreHTTPSErrors: true });
  const { page } = visit;
  const requests = requestsOf(page, idp.issuer);
  await page.goto(own);
  return { idp, own, visit, page, requests };
}

/** What the application sends to these endpoints from now on, in order, its frames included. */
function requestsOf(page: Page, issuer: string): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    const { origin, pathname, searchParams } = new URL(request.url());
    if (origin !== issuer || request.method() === 'OPTIONS') return;
    const posted = new URLSearchParams(request.postData() ?? '');
    const prompt = searchParams.get('prompt');
    if (pathname === '/authorize')
      requests.push(prompt === null ? 'authorize' : `authorize prompt=${prompt}`);
    if (pathname === '/token') requests.push(`token ${posted.get('grant_type')}`);
  });
  return requests;
}

/** What tests read of the application's user. */
export interface SpaUser {
  /** Where the call failed; then there is nothing else. */
  readonly error?: string;
  readonly access_token: string;
  readonly profile: { readonly sub: string; readonly email?: string };
}

/** Calls a method of its UserManager. */
export function call(page: Page, name: string): Promise<SpaUser> {
  return page.evaluate(`call('${name}')`);
}

/** Leaves the application by a method of its UserManager, and waits until it is back, on the page that it left. */
export async function leave(page: Page, by: string, act: (page: Page) => Promise<void>): Promise<void> {
  const app = page.url();
  const back = page.waitForEvent('load', { predicate: () => page.url() === app });
  await page.evaluate(`void manager.${by}`);
  await act(page);
  await back;
}

/** Signs in by a redirect, as a person who has to type the password. */
export async function signInByRedirect(page: Page): Promise<SpaUser> {
  await leave(page, 'signinRedirect()', typeCredentials);
  return call(page, 'getUser');
}

/** Waits until the application has heard of these events, one after another and no other. */
export async function heard(page: Page, ...events: readonly string[]): Promise<void> {
  await page.waitForFunction(`events.length >= ${events.length}`);
  expect(await page.evaluate('events')).toEqual(events);
}
