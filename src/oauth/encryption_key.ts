/** Which of a client's public keys something is encrypted to. OpenID Connect Core §10.2; RFC 7517 §4; RFC 7518 §4. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type JweAlg, keyKindOf } from './algorithms.js';

/** A public key as a client registered or published it: nothing of it is believed yet. */
export type PublishedJwk = Readonly<Record<string, unknown>>;

/** The public members of a key, and its name. */
export interface EncryptionKey extends JsonWebKey {
  readonly kid?: string;
}

/**
 * The key for `alg` in a client's JWK Set: of those that may be used for it, one that is marked for encryption, or for this very
 * algorithm, before the others. Undefined if there is none.
 */
export function encryptionKeyOf(keys: readonly PublishedJwk[], alg: JweAlg): EncryptionKey | undefined {
  const usable = keys.filter((key) => mayBeUsed(key, alg));
  const marks = (key: PublishedJwk) => Number(key.use === 'enc') + Number(key.alg === alg);
  const [first] = usable.sort((a, b) => marks(b) - marks(a));
  return first && { ...publicMembers(first), ...(typeof first.kid === 'string' && { kid: first.kid }) };
}

function mayBeUsed(key: PublishedJwk, alg: JweAlg): boolean {
  if (key.use !== undefined && key.use !== 'enc') return false;
  if (key.alg !== undefined && key.alg !== alg) return false;
  return keyKindOf(alg).kty === 'RSA' ? isRsaKey(key) : isAgreementKey(key);
}

/** RSA of 2048 bits or more (RFC 7518 §4.3), however it is written, and of no absurd size. */
function isRsaKey(key: PublishedJwk): boolean {
  const { modulusLength = 0, publicExponent = 0n } =
    key.kty === 'RSA' ? (readKey(key)?.asymmetricKeyDetails ?? {}) : {};
  // With an exponent of 1 what is encrypted can be read as it is.
  return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent > 1n && publicExponent % 2n === 1n;
}

/** A key to agree on another one with: on a NIST curve, or X25519 (RFC 7518 §4.6; RFC 8037 §3.2). */
function isAgreementKey(key: PublishedJwk): boolean {
  const curves = key.kty === 'EC' ? ['P-256', 'P-384', 'P-521'] : key.kty === 'OKP' ? ['X25519'] : [];
  return curves.some((crv) => crv === key.crv) && readKey(key) !== undefined;
}

/** Undefined for what is no key: a point that is not on its curve, say. */
function readKey(key: PublishedJwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicMembers(key), format: 'jwk' });
  } catch {
    return undefined; // node:crypto says so by throwing
  }
}

function publicMembers({ kty, n, e, crv, x, y }: PublishedJwk): JsonWebKey {
  const members = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as JsonWebKey; // what is no text makes createPublicKey throw
}
