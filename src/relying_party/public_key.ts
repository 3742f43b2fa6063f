/** The public keys of a JWK Set, and which algorithm each may check. RFC 7517; RFC 7518 §3; RFC 8037; RFC 8725 §3.1. */
import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';

/** What a token may be signed with: never `none`, never a shared secret. */
export const algorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

export type Algorithm = (typeof algorithms)[number];

export interface PublicKey {
  readonly kid: string | undefined;
  /** The one algorithm that its JWK names; undefined where the kind of key alone decides. */
  readonly alg: string | undefined;
  /** What the kind of key allows. */
  readonly allows: readonly string[];
  readonly key: KeyObject;
  /** The same key in a later set is the same; one that the issuer has taken back is known by this. */
  readonly thumbprint: string;
}

const smallest_modulus = 2048;
const most_keys = 100;

/** The keys of a JWK Set that can check signatures; others, and those that cannot be read, are left out (RFC 7517 §5). */
export function readJwkSet(set: Readonly<Record<string, unknown>>): readonly PublicKey[] | undefined {
  if (!Array.isArray(set.keys)) return undefined;
  return set.keys.slice(0, most_keys).flatMap((jwk: unknown) => {
    const key = typeof jwk === 'object' && jwk !== null ? readJwk({ ...jwk }) : undefined;
    return key === undefined ? [] : [key];
  });
}

function readJwk(jwk: JsonWebKey): PublicKey | undefined {
  const { kid, alg, use, key_ops } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(key_ops) && !key_ops.includes('verify')) return undefined;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const allows = allowedBy(key);
    if (allows.length === 0) return undefined;
    const thumbprint = key.export({ type: 'spki', format: 'der' }).toString('base64url');
    return { kid: textOf(kid), alg: textOf(alg), allows, key, thumbprint };
  } catch {
    return undefined; // a kind of key that Node does not know, or one that is broken
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

function allowedBy({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'];
  if (asymmetricKeyType === 'ed448') return ['EdDSA'];
  if (asymmetricKeyType === 'ec') {
    const algorithm = new Map([
      ['prime256v1', 'ES256'],
      ['secp384r1', 'ES384'],
      ['secp521r1', 'ES512'],
    ]).get(asymmetricKeyDetails?.namedCurve ?? '');
    return algorithm === undefined ? [] : [algorithm];
  }
  const long_enough = (asymmetricKeyDetails?.modulusLength ?? 0) >= smallest_modulus; // RFC 7518 §3.3
  return asymmetricKeyType === 'rsa' && long_enough ? algorithms.filter((alg) => /^[RP]S/.test(alg)) : [];
}

/** Whether this key checks signatures of this algorithm: a header never talks a key into another (RFC 8725 §3.1). */
export function fits(key: PublicKey, alg: Algorithm): boolean {
  return key.allows.includes(alg) && (key.alg === undefined || key.alg === alg);
}

/** A check of signatures with one key and one algorithm. */
export type Check = (signed: Buffer, signature: Buffer) => boolean;

export function checkWith({ key }: PublicKey, alg: Algorithm): Check {
  if (alg === 'EdDSA' || alg === 'Ed25519')
    return (signed, signature) => verify(null, signed, key, signature);
  const digest = `sha${alg.slice(2)}`;
  if (alg.startsWith('RS')) return (signed, signature) => verify(digest, signed, key, signature);
  const input = alg.startsWith('PS')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 }
    : { key, dsaEncoding: 'ieee-p1363' as const };
  return (signed, signature) => verify(digest, signed, input, signature);
}
