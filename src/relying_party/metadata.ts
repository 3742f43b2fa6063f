/** The issuer's own description of itself. OpenID Connect Discovery §4. */
import { parseObject, type Remote, RemoteError } from './remote.js';
import { isSecure } from './secure_url.js';

export interface Metadata {
  readonly jwks_uri: string;
  /** Seconds that the document may be kept, by its Cache-Control. */
  readonly lifetime_seconds: number;
}

const largest = 262_144;

/** Gives the description, fetched anew where it is old. The last one serves where that fails. Throws RemoteError while there is none. */
export function createMetadataSource(remote: Remote, issuer: string): (now: number) => Promise<Metadata> {
  let known: (Metadata & { readonly fetched_at: number }) | undefined;
  return async (now) => {
    if (known !== undefined && now - known.fetched_at < known.lifetime_seconds) return known;
    try {
      known = { ...(await fetchMetadata(remote, issuer)), fetched_at: now };
    } catch (error) {
      if (known === undefined) throw error;
    }
    return known;
  };
}

/** Throws TypeError for what cannot be an issuer: https, or http on a loopback host for development. */
export function checkIssuer(issuer: string): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || url.search !== '' || url.hash !== '' || url.username !== '' || !isSecure(url))
    throw new TypeError('issuer must be an https URL without query and fragment, or http on a loopback host');
}

/** Fetches the description. Throws RemoteError where it is not there, or is another issuer's (Discovery §4.3). */
async function fetchMetadata(remote: Remote, issuer: string): Promise<Metadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { body, headers } = await remote.get({ url, accept: 'application/json', max_bytes: largest });
  const document = parseObject(body, url);
  if (document.issuer !== issuer) throw new RemoteError(`${url} describes another issuer`);
  const { jwks_uri } = document;
  if (typeof jwks_uri !== 'string' || !URL.canParse(jwks_uri) || !isSecure(new URL(jwks_uri)))
    throw new RemoteError(`${url} names no usable jwks_uri`);
  return { jwks_uri, lifetime_seconds: lifetimeOf(headers) };
}

/** Whether a URL is on the issuer's own origin. */
export function isOfOrigin(uri: string, issuer: string): boolean {
  return URL.canParse(uri) && new URL(uri).origin === new URL(issuer).origin;
}

const shortest_seconds = 300;
const longest_seconds = 86_400;
const usual_seconds = 600;

/** The max-age of an answer, within five minutes and a day: neither a flood of requests nor a key for ever. */
export function lifetimeOf(headers: Headers): number {
  const max_age = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1];
  const wanted = max_age === undefined ? usual_seconds : Number(max_age);
  return Math.min(Math.max(wanted, shortest_seconds), longest_seconds);
}
