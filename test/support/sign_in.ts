/** An application that signs people in by src/relying_party/sign_in, at the real server, and a browser that visits both. */
import type { CryptoKey } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect } from 'vitest';
import {
  createSignIn,
  memorySessions,
  type Person,
  type SignIn,
  type SignInError,
  type SignInOptions,
} from '../../src/relying_party/sign_in/index.js';
import { type Browser, formOf, type Page } from './browser.js';
import { signIn as typePassword } from './flow.js';
import { type Form, formBody, type IdpOptions, startIdp, type TestIdp } from './idp.js';

export const app_origin = 'https://app.example';
const callback_uri = `${app_origin}/callback`;

export interface SignInAppOptions extends IdpOptions {
  readonly metadata?: object;
  readonly app?: Partial<SignInOptions>;
}

export type SignInApp = Awaited<ReturnType<typeof startSignInApp>>;

/** The server with Ada in it, and an application registered there. */
export async function startSignInApp({ metadata, app = {}, ...idpOptions }: SignInAppOptions = {}) {
  const idp = await startIdp(idpOptions);
  const ada = await idp.addUser();
  const redirect_uri = app.redirect_uri ?? callback_uri;
  const { client, client_secret } = await idp.addClient({
    redirect_uris: [redirect_uri],
    post_logout_redirect_uris: [`${new URL(redirect_uri).origin}/bye`],
    scope: 'openid profile email',
    ...metadata,
  });
  const traffic = createTraffic();
  const errors: SignInError[] = [];
  const sessions = app.sessions ?? memorySessions();
  const options: SignInOptions = {
    issuer: idp.issuer,
    client_id: client.client_id,
    ...(client_secret !== null && { client_secret }),
    redirect_uri,
    scope: 'openid profile email',
    post_logout_redirect_uri: `${new URL(redirect_uri).origin}/bye`,
    sessions,
    clock: idp.now,
    fetch: traffic.fetch,
    onError: (error) => void errors.push(error),
    ...app,
  };
  const signIn = createSignIn(options);
  return {
    idp,
    ada,
    client,
    options,
    sessions,
    signIn,
    traffic,
    /** The codes of what the app heard of. */
    errors,
    /** Another browser; with the cookies of one, it is as a thief or an old page has them. */
    visitor: (cookies: ReadonlyMap<string, string> = new Map()) => new Visitor(signIn, idp, cookies),
  };
}

type Reply = (url: URL, init?: RequestInit) => Response | Promise<Response> | undefined;

/** The app's way to the server: counts what passes by path, and can be given other answers. */
function createTraffic() {
  const counts = new Map<string, number>();
  const traffic = {
    /** Answers in the place of the server where it returns or throws something. */
    instead: undefined as Reply | undefined,
    count: (path: string) => counts.get(path) ?? 0,
    fetch: (async (input: string | URL, init?: RequestInit) => {
      const url = new URL(input);
      counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1);
      return (await traffic.instead?.(url, init)) ?? fetch(url, init);
    }) as typeof fetch,
  };
  return traffic;
}

/** A browser at the application, and the same person's at the server. */
class Visitor {
  readonly cookies: Map<string, string>;
  readonly #signIn: SignIn;
  readonly server: Browser;

  constructor(signIn: SignIn, idp: TestIdp, cookies: ReadonlyMap<string, string>) {
    this.cookies = new Map(cookies);
    this.#signIn = signIn;
    this.server = idp.browser();
  }

  /** A request to the app, with its cookies; no redirect is followed. */
  async send(target: string, init: RequestInit = {}): Promise<Response> {
    const request = new Request(new URL(target, this.#signIn.origin), init);
    request.headers.set('cookie', this.#cookieHeader());
    const response = await this.#signIn.handle(request);
    if (response === null) throw new Error(`${target} is no path of the sign-in`);
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** Posts a form from a page of the app itself, unless the headers say otherwise. */
  post(target: string, form: Form, headers: Record<string, string> = { origin: this.#signIn.origin }) {
    return this.send(target, { method: 'POST', body: formBody(form), headers });
  }

  /** Begins a sign-in: the authorization request that the app sends. */
  async begin(query = ''): Promise<URL> {
    return locationOf(await this.send(`/login${query}`));
  }

  /** Takes an authorization request to the server, typing the password if asked; the page that leaves the server. */
  async authorize(url: URL, credentials: { readonly email?: string } = {}): Promise<Page> {
    const page = await this.server.get(url.pathname + url.search);
    return page.html.includes('name="password"') ? typePassword(this.server, page, credentials) : page;
  }

  /** A whole sign-in; the answer to the callback. */
  async signIn(query = '', credentials: { readonly email?: string } = {}): Promise<Response> {
    return this.send(answerOf(await this.authorize(await this.begin(query), credentials)).href);
  }

  person(signIn: SignIn = this.#signIn): Promise<Person | null> {
    return signIn.session(new Request(app_origin, { headers: { cookie: this.#cookieHeader() } }));
  }

  /** The state of a sign-in is in a cookie of its own. */
  underWay(): readonly string[] {
    return [...this.cookies.keys()].filter((name) => name.includes('sign_in_'));
  }

  #cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

export function locationOf(response: Response): URL {
  expect(response.status).toBe(303);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return new URL(response.headers.get('location') ?? '');
}

/** Where the server sends the browser back to. */
export function answerOf(page: Page): URL {
  expect([page.status, page.html]).toEqual([303, '']);
  return new URL(page.headers.get('location') ?? '');
}

/** The form that the server answers with for response_mode=form_post. */
export function formAnswerOf(page: Page): Readonly<Record<string, string>> {
  return formOf(page.html).hidden;
}

/** What an error page says: its status and its code. */
export async function refusalOf(response: Response): Promise<readonly [number, string]> {
  const text = await response.text();
  return [response.status, /<small>([^<]*)</.exec(text)?.[1] ?? text];
}

export const logout_event = 'http://schemas.openid.net/event/backchannel-logout';

/** One for all tests of a worker: an RSA key takes its time. */
const keyPair = generateKeyPair('RS256');

async function publicJwk() {
  return { ...(await exportJWK((await keyPair).publicKey)), kid: 'logout', alg: 'RS256', use: 'sig' };
}

/** A logout token for an application; `changes` and `header` make it another, undefined members are left out. */
async function logoutToken(
  about: { readonly iss: string; readonly aud: string; readonly now: number },
  changes: object = {},
  header: object = {},
  key: CryptoKey | Uint8Array | undefined = undefined,
): Promise<string> {
  const { iss, aud, now } = about;
  const claims = {
    ...{ iss, aud, iat: now, exp: now + 120, jti: crypto.randomUUID(), events: { [logout_event]: {} } },
    ...changes,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'logout', typ: 'logout+jwt', ...header })
    .sign(key ?? (await keyPair).privateKey, { crit: { 'urn:example:unknown': true } });
}

/** A key that the app takes for one of the server's: it signs what the server itself never would. */
export async function addLogoutKey({ idp, client, traffic }: SignInApp) {
  const { keys } = (await (await idp.fetch('/jwks')).json()) as { keys: object[] };
  keys.push(await publicJwk());
  traffic.instead = (url) => (url.pathname === '/jwks' ? Response.json({ keys }) : undefined);
  return {
    sign: (changes: object = {}) =>
      logoutToken({ iss: idp.issuer, aud: client.client_id, now: idp.now() }, changes),
  };
}

/** The application alone, with somebody signed in, and a provider that has a discovery document and a key: for what never leaves the app. */
export async function startAlone(app: Partial<SignInOptions> = {}) {
  const [iss, aud, now] = ['https://id.example', 'app', 1_700_000_000];
  const session = { digest: 'd1', iss, sub: 'ada', sid: 's1', sealed: '', version: 0 };
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/openid-configuration': {
      issuer: iss,
      authorization_endpoint: `${iss}/authorize`,
      token_endpoint: `${iss}/token`,
      jwks_uri: `${iss}/jwks`,
    },
    '/jwks': { keys: [await publicJwk()] },
  };
  const errors: SignInError[] = [];
  const sessions = memorySessions();
  await sessions.insert({ ...session, created_at: now, expires_at: now + 3600 });
  const options: SignInOptions = {
    ...{ issuer: iss, client_id: aud, redirect_uri: callback_uri, sessions, clock: () => now },
    fetch: (async (input: string | URL) =>
      Response.json(documents[new URL(input).pathname] ?? {}, { status: 200 })) as typeof fetch,
    onError: (error) => void errors.push(error),
    ...app,
  };
  const signIn = createSignIn(options);
  return {
    now,
    options,
    errors,
    signIn,
    jwk: await publicJwk(),
    signedIn: async () => (await sessions.find('d1', now)) !== undefined,
    sign: (changes: object = {}, header: object = {}, key?: CryptoKey | Uint8Array) =>
      logoutToken({ iss, aud, now }, changes, header, key),
    send: (target: string, init: RequestInit = {}) =>
      signIn.handle(new Request(app_origin + target, init)) as Promise<Response>,
  };
}
