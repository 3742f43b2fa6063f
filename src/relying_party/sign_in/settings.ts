/** What an application says about itself, checked once: a mistake is a TypeError at the start, not a failure of somebody's sign-in. */
import type { CryptoKey, PrivateKey } from 'openid-client';
import { quietly } from '../quietly.js';
import { isSecure } from '../secure_url.js';
import type { SignInError } from './errors.js';
import { localPath } from './return_to.js';
import type { SessionStore } from './store.js';

export interface SignInOptions {
  /** The provider's issuer identifier; all else about it is in its discovery document. https, or http on a loopback host. */
  readonly issuer: string;
  readonly client_id: string;
  /** The client authenticates by this, by `private_key` (private_key_jwt), or not at all (a public client). */
  readonly client_secret?: string;
  readonly private_key?: CryptoKey | PrivateKey;
  /** How the secret is sent: `client_secret_basic` unless told otherwise. */
  readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post';
  /** As it is registered, without a query. Its origin is the app's origin, whatever a Host header says. */
  readonly redirect_uri: string;
  /** `openid` unless told otherwise. */
  readonly scope?: string;
  /** The API that the access token is for (RFC 8707). */
  readonly resource?: string;
  readonly response_mode?: 'query' | 'form_post';
  /** The algorithm of ID tokens and logout tokens as registered: RS256 unless told otherwise. Never that of a token's header. */
  readonly id_token_signed_response_alg?: string;
  /** As it is registered; without it a sign-out ends on a page of the provider. */
  readonly post_logout_redirect_uri?: string;
  readonly sessions: SessionStore;
  /** What the names of the cookies begin with, `app` unless told otherwise. Two apps on one host need two: cookies ignore ports. */
  readonly cookie?: string;
  /** Paths of the handlers; those that are not given stand beside the path of `redirect_uri`. */
  readonly paths?: Partial<Omit<SignInPaths, 'callback'>>;
  /** Where a sign-in without `return_to` ends: `/` unless told otherwise. */
  readonly home?: string;
  /** How long a session lives, seconds: 8 hours unless told otherwise. */
  readonly session_seconds?: number;
  /** How long before its end an access token is replaced, seconds: 30 unless told otherwise. */
  readonly refresh_early_seconds?: number;
  /** How long the provider may take to answer, seconds: 5 unless told otherwise. */
  readonly timeout_seconds?: number;
  /** Makes the page of an error; `error.status` and `error.message` say what. A plain page unless told otherwise. */
  readonly showError?: (error: SignInError, request: Request) => Response | Promise<Response>;
  /** Hears of every error, also of those that nobody is shown: of a refresh, a silent check, a sign-out. For the log. */
  readonly onError?: (error: SignInError) => void;
  /** In the place of the global fetch. */
  readonly fetch?: typeof fetch;
  /** Whole seconds since 1970. For tests. */
  readonly clock?: () => number;
}

export interface SignInPaths {
  readonly login: string;
  readonly callback: string;
  readonly logout: string;
  readonly backchannel_logout: string;
  readonly frontchannel_logout: string;
}

export type Settings = Readonly<
  Required<
    Omit<
      SignInOptions,
      'client_secret' | 'private_key' | 'resource' | 'post_logout_redirect_uri' | 'showError' | 'paths'
    >
  > &
    Pick<
      SignInOptions,
      'client_secret' | 'private_key' | 'resource' | 'post_logout_redirect_uri' | 'showError'
    > & {
      paths: SignInPaths;
      /** The app's own, from redirect_uri. */
      origin: string;
      /** Whether the app is on https: then cookies are `__Host-` and Secure. */
      secure: boolean;
    }
>;

/** Of RFC 7518 §3.1 and RFC 9864: what anybody can check, and only the provider can sign. */
const asymmetric = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;

/** Fills in what was left out. Throws TypeError with a sentence that names the option. */
export function readSettings(options: SignInOptions): Settings {
  const redirect_uri = readUrl('redirect_uri', options.redirect_uri);
  readUrl('issuer', options.issuer);
  // openid-client sends the token endpoint the callback's URL without its query.
  if (redirect_uri.origin + redirect_uri.pathname !== options.redirect_uri) {
    throw new TypeError(
      'redirect_uri must be an origin and a path, written as URLs are: no query, no fragment.',
    );
  }
  const given = withoutUndefined(options);
  const { client_id, cookie = 'app', scope = 'openid', home = '/', session_seconds = 8 * 3600 } = given;
  if (typeof client_id !== 'string' || client_id === '') throw new TypeError('client_id is missing.');
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(cookie))
    throw new TypeError('cookie must be 1 to 40 letters, digits, - or _.');
  if (!scope.split(' ').includes('openid')) throw new TypeError('scope must contain openid.');
  if (localPath(home, redirect_uri.origin) === undefined)
    throw new TypeError('home must be a path of this application.');
  if (!asymmetric.test(options.id_token_signed_response_alg ?? 'RS256'))
    throw new TypeError(
      'id_token_signed_response_alg must be an algorithm with a public key, such as RS256.',
    );
  readChoices(given);
  if (options.post_logout_redirect_uri !== undefined)
    readUrl('post_logout_redirect_uri', options.post_logout_redirect_uri);
  if (!Number.isInteger(session_seconds) || session_seconds <= 0)
    throw new TypeError('session_seconds must be a whole number above 0.');
  const { refresh_early_seconds = 30, timeout_seconds = 5 } = options;
  if (!Number.isFinite(refresh_early_seconds) || refresh_early_seconds < 0)
    throw new TypeError('refresh_early_seconds must be a number, 0 or more.');
  if (!Number.isFinite(timeout_seconds) || timeout_seconds <= 0)
    throw new TypeError('timeout_seconds must be a number above 0.');
  return {
    token_endpoint_auth_method: 'client_secret_basic',
    response_mode: 'query',
    id_token_signed_response_alg: 'RS256',
    fetch: (input, init) => fetch(input, init), // looked up when it is called: something may instrument it later
    clock: () => Math.floor(Date.now() / 1000),
    ...given,
    onError: quietly(options.onError),
    ...{ cookie, scope, home, session_seconds, refresh_early_seconds, timeout_seconds },
    paths: readPaths(redirect_uri, options.paths ?? {}),
    origin: redirect_uri.origin,
    secure: redirect_uri.protocol === 'https:',
  };
}

function readPaths(redirect_uri: URL, paths: NonNullable<SignInOptions['paths']>): SignInPaths {
  const beside = (name: string) => new URL(name, redirect_uri).pathname;
  const all = {
    login: paths.login ?? beside('login'),
    callback: redirect_uri.pathname,
    logout: paths.logout ?? beside('logout'),
    backchannel_logout: paths.backchannel_logout ?? beside('backchannel-logout'),
    frontchannel_logout: paths.frontchannel_logout ?? beside('frontchannel-logout'),
  };
  const names = Object.values(all);
  const isPath = (path: string) =>
    path.startsWith('/') &&
    new URL(path, redirect_uri).href === redirect_uri.origin + path &&
    !/[?#]/.test(path);
  if (!names.every(isPath) || new Set(names).size < names.length)
    throw new TypeError(
      'paths must begin with a slash, be written as URLs are, without query and fragment, and differ from each other.',
    );
  return all;
}

/** What is given as undefined is not given: else it would take the place of what is usual. */
function withoutUndefined(options: SignInOptions): SignInOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as SignInOptions; // the same members
}

/** Throws TypeError for what JavaScript lets through. */
function readChoices({ response_mode, token_endpoint_auth_method, sessions }: SignInOptions): void {
  if (!['query', 'form_post', undefined].includes(response_mode))
    throw new TypeError('response_mode must be query or form_post.');
  if (!['client_secret_basic', 'client_secret_post', undefined].includes(token_endpoint_auth_method))
    throw new TypeError('token_endpoint_auth_method must be client_secret_basic or client_secret_post.');
  if (typeof sessions?.find !== 'function') throw new TypeError('sessions must be a session store.');
}

function readUrl(name: string, text: string): URL {
  if (!URL.canParse(text)) throw new TypeError(`${name} is no URL.`);
  const url = new URL(text);
  if (!isSecure(url)) throw new TypeError(`${name} must be https, or http on a loopback host.`);
  return url;
}
