/**
 * The algorithms of JOSE that this server has, a line each. Keys, registration, discovery and hashes follow from these tables. RFC 7518
 * §3.1, §4.1, §5.1; RFC 8037; RFC 9864. There is no `none`, and nothing that is compressed.
 */

/** What a key pair for an algorithm is: RSA of 2048 bits or more, or one on a curve. */
export type KeyKind =
  | { readonly kty: 'RSA' }
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521' }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519' };

export interface JwsAlgorithm {
  /** The hash of its family: what at_hash, c_hash and s_hash are made with. OpenID Connect Core §3.1.3.6. */
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly scheme: 'pkcs1' | 'pss' | 'ecdsa' | 'eddsa';
  readonly key: KeyKind;
}

const rsa = { kty: 'RSA' } as const;
const p256 = { kty: 'EC', crv: 'P-256' } as const;
const ed25519 = { kty: 'OKP', crv: 'Ed25519' } as const;

/** Signatures. Each algorithm has keys of its own, since a JWK names one. */
export const jwsAlgorithms = {
  RS256: { hash: 'sha256', scheme: 'pkcs1', key: rsa },
  RS384: { hash: 'sha384', scheme: 'pkcs1', key: rsa },
  RS512: { hash: 'sha512', scheme: 'pkcs1', key: rsa },
  PS256: { hash: 'sha256', scheme: 'pss', key: rsa },
  PS384: { hash: 'sha384', scheme: 'pss', key: rsa },
  PS512: { hash: 'sha512', scheme: 'pss', key: rsa },
  ES256: { hash: 'sha256', scheme: 'ecdsa', key: p256 },
  ES384: { hash: 'sha384', scheme: 'ecdsa', key: { kty: 'EC', crv: 'P-384' } },
  ES512: { hash: 'sha512', scheme: 'ecdsa', key: { kty: 'EC', crv: 'P-521' } },
  /** The same under two names, the older of which does not tell the curve (RFC 9864). */
  EdDSA: { hash: 'sha512', scheme: 'eddsa', key: ed25519 },
  Ed25519: { hash: 'sha512', scheme: 'eddsa', key: ed25519 },
} as const satisfies Record<string, JwsAlgorithm>;

export type JwsAlg = keyof typeof jwsAlgorithms;
export const jwsAlgs = Object.keys(jwsAlgorithms) as readonly JwsAlg[];

/** Ways to encrypt the key of a JWE. A key pair of ours for each; clients bring keys of the same `kty`. */
const jweAlgorithms = {
  'RSA-OAEP-256': { key: rsa },
  'ECDH-ES': { key: p256 },
  'ECDH-ES+A128KW': { key: p256 },
  'ECDH-ES+A256KW': { key: p256 },
} as const satisfies Record<string, { readonly key: KeyKind }>;

export type JweAlg = keyof typeof jweAlgorithms;
export const jweAlgs = Object.keys(jweAlgorithms) as readonly JweAlg[];

/** Ways to encrypt the content of a JWE; the first is the default of OpenID Connect Registration §2. */
export const jweEncs = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const;
export type JweEnc = (typeof jweEncs)[number];

/** MACs under a client's secret: for its assertions alone. */
export const macAlgs = ['HS256', 'HS384', 'HS512'] as const;

export function isMacAlg(alg: string): boolean {
  return macAlgs.some((one) => one === alg);
}

/** What a key of ours is for: it follows from its algorithm. */
export type KeyUse = 'sig' | 'enc';

export function isJwsAlg(alg: string): alg is JwsAlg {
  return Object.hasOwn(jwsAlgorithms, alg);
}

export function isJweAlg(alg: string): alg is JweAlg {
  return Object.hasOwn(jweAlgorithms, alg);
}

/** The kind of key pair that an algorithm wants. */
export function keyKindOf(alg: JwsAlg | JweAlg): KeyKind {
  return isJwsAlg(alg) ? jwsAlgorithms[alg].key : jweAlgorithms[alg].key;
}
