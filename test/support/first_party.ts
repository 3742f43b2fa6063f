/** An application of the operator's own that takes passwords itself, on its site and in its mobile app. */
import { expect } from 'vitest';
import type { Browser } from './browser.js';
import { type IdpOptions, password, startIdp, type TestIdp, type TestUser } from './idp.js';

export const origin = 'https://www.example.com';

/** What a client must be registered as (decisions 29). */
export const ownClient = {
  client_name: 'Site',
  redirect_uris: [],
  grant_types: ['refresh_token'],
  token_endpoint_auth_method: 'none',
  first_party: true,
  allowed_origins: [origin],
} as const;

export const paths = [
  '/users/login',
  '/users/login/factor',
  '/users/refresh-token',
  '/users/logout',
] as const;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answered; the test says what it expects of it
  readonly body: any;
}

export type Sent = Readonly<Record<string, string | undefined>>;

export interface SiteOptions extends IdpOptions {
  /** What is changed in the usual client. */
  readonly metadata?: object;
  readonly user?: Partial<TestUser>;
}

export type Site = Awaited<ReturnType<typeof startSite>>;

/** Starts a server with one person and this application, `site`. */
export async function startSite({ metadata, user, ...options }: SiteOptions = {}) {
  const idp = await startIdp(options);
  const ada = await idp.addUser(user);
  const { client } = await idp.addClient({ ...ownClient, ...metadata }, 'site');
  const credentials = { client_id: 'site', email: 'ada@example.com', password };
  return {
    idp,
    user: ada,
    client,
    credentials,
    /** The mobile app: no cookies, no Origin. */
    app: (path: string, body: object, headers: Sent = {}) => postJson(idp.browser(), path, body, headers),
    /** A page of the site in this browser. */
    page: (browser: Browser, path: string, body: object = {}, headers: Sent = {}) =>
      postJson(browser, path, { client_id: 'site', ...body }, { origin, ...headers }),
    /** Signs in from the mobile app. */
    async signIn(changes: object = {}): Promise<ApiAnswer['body']> {
      const answer = await postJson(idp.browser(), '/users/login', { ...credentials, ...changes });
      expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
      return answer.body;
    },
    /** Signs in on a page of the site: a browser with its cookies. */
    async signedIn(browser = idp.browser(), changes: object = {}): Promise<Browser> {
      const body = { ...credentials, ...changes };
      const answer = await postJson(browser, '/users/login', body, { origin });
      expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
      return browser;
    },
  };
}

/** POST with a JSON body; members and headers that are undefined are left out. */
export async function postJson(
  browser: Browser,
  path: string,
  body: object | string,
  headers: Sent = {},
): Promise<ApiAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return call(browser, path, { 'content-type': 'application/json', ...headers }, text);
}

/** GET /users/me; a browser has its cookies. */
export function getMe(browser: Browser, headers: Sent = {}): Promise<ApiAnswer> {
  return call(browser, '/users/me', headers);
}

export function meOf(idp: TestIdp, access_token: string): Promise<ApiAnswer> {
  return getMe(idp.browser(), { authorization: `Bearer ${access_token}` });
}

async function call(browser: Browser, path: string, headers: Sent, body?: string): Promise<ApiAnswer> {
  const sent = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const method = body === undefined ? 'GET' : 'POST';
  const got = await browser.request(path, { method, headers: sent, body: body ?? null });
  const json = got.headers.get('content-type')?.startsWith('application/json');
  return { status: got.status, headers: got.headers, body: json ? JSON.parse(got.html) : got.html };
}

/** The cookies that an answer sets: name, value and attributes. */
export function cookiesOf({ headers }: Pick<ApiAnswer, 'headers'>) {
  return Object.fromEntries(
    headers.getSetCookie().map((line) => {
      const [pair = '', ...attributes] = line.split('; ');
      const at = pair.indexOf('=');
      return [pair.slice(0, at), { value: pair.slice(at + 1), attributes: attributes.join('; ') }];
    }),
  );
}
