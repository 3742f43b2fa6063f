/**
 * Two kinds of cookies: the session's, and one for each sign-in under way, so that tabs do not overwrite each other's. On https
 * all are `__Host-` and Secure: no other host, nor plain http, can set them (RFC 6265bis §4.1.3).
 */
import type { Settings } from './settings.js';

/** A request, of the Fetch API or of node:http. */
export interface HasHeaders {
  readonly headers: Pick<Headers, 'get'> | { readonly cookie?: string | undefined };
}

type CookieSettings = Pick<Settings, 'cookie' | 'secure'>;

export interface CookieOptions {
  /** Seconds; 0 removes the cookie. Without it the cookie ends with the browser. */
  readonly max_age?: number;
  /** Comes along with a form that another site posts: for form_post alone, and possible on https alone. */
  readonly cross_site?: boolean;
}

function fullName({ cookie, secure }: CookieSettings, name: string): string {
  return `${secure ? '__Host-' : ''}${cookie}_${name}`;
}

/** A cookie's value. Undefined where it is absent, sent twice, or nothing that we could have set. */
export function readCookie(request: HasHeaders, settings: CookieSettings, name: string): string | undefined {
  const wanted = fullName(settings, name);
  const values = allCookies(request).filter((pair) => pair.name === wanted);
  const [only] = values;
  return values.length === 1 && only !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(only.value)
    ? only.value
    : undefined;
}

/** What stands behind `begin` in the names of this app's cookies. */
export function cookieNames(request: HasHeaders, settings: CookieSettings, begin: string): readonly string[] {
  const prefix = fullName(settings, begin);
  return allCookies(request)
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length))
    .filter((rest) => /^[A-Za-z0-9_-]{1,64}$/.test(rest));
}

function allCookies({ headers }: HasHeaders): readonly { readonly name: string; readonly value: string }[] {
  const header = isFetchHeaders(headers) ? headers.get('cookie') : headers.cookie;
  return (header ?? '').split(';').map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, Math.max(at, 0)).trim(), value: pair.slice(at + 1).trim() };
  });
}

function isFetchHeaders(headers: HasHeaders['headers']): headers is Pick<Headers, 'get'> {
  return 'get' in headers && typeof headers.get === 'function';
}

/** The value of a Set-Cookie header. */
export function cookieLine(
  settings: CookieSettings,
  name: string,
  value: string,
  { max_age, cross_site = false }: CookieOptions = {},
): string {
  return [
    `${fullName(settings, name)}=${value}`,
    'Path=/',
    ...(max_age === undefined ? [] : [`Max-Age=${max_age}`]),
    'HttpOnly',
    ...(settings.secure ? ['Secure'] : []),
    `SameSite=${cross_site && settings.secure ? 'None' : 'Lax'}`,
  ].join('; ');
}
