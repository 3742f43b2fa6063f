/** The JWK Set as bytes ready to be sent. RFC 7517 §5. */
import type { JsonWebKey } from 'node:crypto';
import { isJwsAlg, type JweAlg, type JwsAlg } from '../oauth/algorithms.js';
import { digest } from '../secrets.js';

export interface PublishedSet {
  readonly body: Buffer;
  /** A strong entity tag (RFC 9110 §8.8.3). */
  readonly etag: string;
}

/** The public members of each kind of key. RFC 7518 §6; RFC 8037 §2. */
const members: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
};

interface PublicKey {
  readonly kid: string;
  readonly alg: JwsAlg | JweAlg;
  readonly jwk: JsonWebKey;
}

/** Public members only: what a key is made of is named, not copied. */
export function jwkSet(keys: readonly PublicKey[]): PublishedSet {
  const published = keys.map(({ kid, alg, jwk }) => ({
    kty: jwk.kty,
    use: isJwsAlg(alg) ? 'sig' : 'enc',
    alg,
    kid,
    ...publicMembers(jwk),
  }));
  const text = JSON.stringify({ keys: published });
  return { body: Buffer.from(text), etag: `"${digest(text).slice(0, 22)}"` };
}

export function publicMembers(jwk: JsonWebKey): JsonWebKey {
  const names = members[jwk.kty ?? ''] ?? [];
  return Object.fromEntries(names.map((name) => [name, jwk[name]]));
}
