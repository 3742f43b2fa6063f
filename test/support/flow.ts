/** The steps of the code flow, as an application and a person take them. */
import { expect } from 'vitest';
import type { NewClient } from '../../src/actions/clients.js';
import type { Browser, Page } from './browser.js';
import {
  basic,
  code_challenge,
  code_verifier,
  type Form,
  formBody,
  type JsonAnswer,
  password,
  redirect_uri,
  type TestIdp,
} from './idp.js';

/** A good authorization request, but for the client_id. */
export const goodRequest = {
  response_type: 'code',
  redirect_uri,
  scope: 'openid',
  state: 's1',
  code_challenge,
  code_challenge_method: 'S256',
};

/** A good authorization request of a client; members that are undefined are left out. */
export function authorizeUrl(client_id: string, changes: Form = {}): string {
  return `/authorize?${formBody({ client_id, ...goodRequest, ...changes })}`;
}

/** Signs in on the login page that `page` is. */
export function signIn(
  browser: Browser,
  page: Page,
  credentials: { email?: string; password?: string } = {},
): Promise<Page> {
  return browser.submit(page, { email: 'ada@example.com', password, action: 'sign_in', ...credentials });
}

/** The parameters of an answer that was sent to a redirect URI. */
export function responseOf(page: Page): Record<string, string> {
  expect([page.status, page.html]).toEqual([303, '']);
  return Object.fromEntries(new URL(page.headers.get('location') ?? '').searchParams);
}

/** Gets a code: signs in if the browser is not. */
export async function getCode(browser: Browser, client_id: string, changes: Form = {}): Promise<string> {
  if (browser.cookies.size === 0) await browser.beSignedIn();
  let page = await browser.get(authorizeUrl(client_id, changes));
  if (page.html.includes('name="password"')) page = await signIn(browser, page);
  const { code, error, error_description } = responseOf(page);
  expect([error, error_description]).toEqual([undefined, undefined]);
  return code ?? '';
}

/** Redeems a code; `changes` make the request another. */
export function redeem(
  idp: TestIdp,
  { client, client_secret }: NewClient,
  code: string,
  changes: Form = {},
): Promise<JsonAnswer> {
  const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier, ...changes };
  if (client_secret === null) return idp.token({ client_id: client.client_id, ...form });
  return idp.token(form, basic(client.client_id, client_secret));
}

export function refresh(
  idp: TestIdp,
  { client, client_secret }: NewClient,
  refresh_token: string,
  changes: Form = {},
): Promise<JsonAnswer> {
  const form = { grant_type: 'refresh_token', refresh_token, ...changes };
  if (client_secret === null) return idp.token({ client_id: client.client_id, ...form });
  return idp.token(form, basic(client.client_id, client_secret));
}

/** The whole flow: a new browser signs in, the client redeems the code. */
export async function getTokens(
  idp: TestIdp,
  client: NewClient,
  changes: Form = {},
  browser: Browser = idp.browser(),
) {
  const { status, body } = await redeem(
    idp,
    client,
    await getCode(browser, client.client.client_id, changes),
  );
  expect([status, body.error_description]).toEqual([200, undefined]);
  return body as {
    access_token: string;
    id_token: string;
    refresh_token: string;
    scope: string;
    expires_in: number;
  };
}
