/** The JWK Set as bytes ready to be sent. RFC 7517 §5. */
import type { JsonWebKey } from 'node:crypto';
import { digest } from '../secrets.js';

export interface PublishedSet {
  readonly body: Buffer;
  /** A strong entity tag (RFC 9110 §8.8.3). */
  readonly etag: string;
}

/** Public members only: what a key is made of is named, not copied. */
export function jwkSet(
  keys: readonly { readonly kid: string; readonly alg: string; readonly jwk: JsonWebKey }[],
): PublishedSet {
  const published = keys.map(({ kid, alg, jwk }) => ({
    kty: jwk.kty,
    use: 'sig',
    alg,
    kid,
    n: jwk.n,
    e: jwk.e,
  }));
  const text = JSON.stringify({ keys: published });
  return { body: Buffer.from(text), etag: `"${digest(text).slice(0, 22)}"` };
}
