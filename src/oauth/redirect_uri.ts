/**
 * Redirect URIs: what may be registered, and the one matcher for every URL that this server sends a browser back to.
 * Compared as strings; the port of a loopback address is the only exception. RFC 9700 §2.1 and §4.1.3; RFC 8252 §7.3 and §8.
 */
import { OAuthError } from './errors.js';

declare const registered: unique symbol;

/** A redirect URI that was found registered. Only `matchRedirectUri` makes one, so an open redirect does not compile. */
export type RegisteredRedirectUri = string & { readonly [registered]: true };

/**
 * The registered URI that `requested` equals, as requested. Undefined if there is none. Nothing is normalised before the
 * comparison. `any_loopback_port` is true for native clients: http on a loopback host may come back on another port.
 */
export function matchRedirectUri(
  uris: readonly string[],
  requested: string,
  options: { readonly any_loopback_port: boolean },
): RegisteredRedirectUri | undefined {
  const exact = uris.includes(requested);
  const loopback = options.any_loopback_port && uris.some((uri) => sameButForPort(uri, requested));
  return exact || loopback ? (requested as RegisteredRedirectUri) : undefined;
}

/** scheme and host, port, and all that follows, of an http URL on a loopback host, taken apart as text. */
const loopbackUrl = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(:[0-9]{1,5})?((?:\/[\x21-\x7e]*)?)$/;

function sameButForPort(uri: string, requested: string): boolean {
  const left = loopbackUrl.exec(uri);
  const right = loopbackUrl.exec(requested);
  if (left === null || right === null || !isPort(right[2])) return false;
  return left[1] === right[1] && left[3] === right[3];
}

/** Whether `:12345` names a port that there is. Without one it is the default port. */
function isPort(port: string | undefined): boolean {
  return port === undefined || Number(port.slice(1)) <= 65_535;
}

export type UriKind = 'https' | 'loopback' | 'custom_scheme';

/** What kind of address a registered redirect URI is: another program can claim a loopback port or a scheme (RFC 8252 §8.6). */
export function redirectUriKind(uri: string): UriKind {
  if (uri.startsWith('https://')) return 'https';
  return uri.startsWith('http://') ? 'loopback' : 'custom_scheme';
}

/** Whether a host name, as `URL.hostname` gives it, is this machine: localhost, *.localhost, 127.0.0.0/8, [::1]. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

const scripting = new Set([
  'javascript:',
  'data:',
  'vbscript:',
  'file:',
  'blob:',
  'about:',
  'filesystem:',
  'view-source:',
]);

/**
 * Checks a URI that is about to be registered. Throws `invalid_request` saying what is wrong with it. http is for loopback
 * hosts alone, and there for native clients or where the issuer itself is a loopback http address (decisions 21).
 */
export function assertRedirectUri(
  uri: string,
  options: { readonly allow_loopback_http: boolean; readonly native: boolean },
): void {
  const wrong = uriFault(uri, options);
  if (wrong !== undefined) throw new OAuthError('invalid_request', `redirect URI ${uri}: ${wrong}`);
}

function uriFault(
  uri: string,
  options: { readonly allow_loopback_http: boolean; readonly native: boolean },
): string | undefined {
  if (uri.length > 2048) return 'is longer than 2048 characters';
  if (!/^[\x21-\x7e]+$/.test(uri)) return 'holds a space, a control character or one outside ASCII';
  // Without its two slashes an https URI parses all the same, but in a Location a browser takes it for a path of ours.
  if (!URL.canParse(uri) || /^https?:(?!\/\/[^/])/i.test(uri)) return 'is not an absolute URI';
  if (uri.includes('#')) return 'has a fragment';
  if (/[*\\]/.test(uri)) return 'holds a * or a backslash: there are no wildcards';
  const url = new URL(uri);
  if (url.username !== '' || url.password !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(uri))
    return 'has a user name or a password';
  if (scripting.has(url.protocol)) return 'has a scheme that runs or reads something in the browser';
  if (url.protocol === 'https:') return url.hostname === '' ? 'has no host' : undefined;
  if (url.protocol === 'http:') {
    if (!isLoopbackHost(url.hostname)) return 'is http: only https is allowed outside of this machine';
    return options.allow_loopback_http || options.native ? undefined : 'is http: https is required';
  }
  if (!options.native) return 'has a scheme of its own: only for clients with application_type native';
  return url.protocol.includes('.')
    ? undefined
    : 'needs a scheme with a dot, like com.example.app (RFC 8252 §7.1)';
}
