/**
 * JSON Web Signatures with our own keys, put together by hand: the protected header is made once per key and type, the signature
 * is computed in libuv's pool. RFC 7515 §7.1; RFC 7518 §3.3–§3.5; RFC 8037 §3.1; RFC 8725 §3.
 */
import {
  constants,
  type JsonWebKey,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type JwsAlg, type JwsAlgorithm, jwsAlgorithms } from '../oauth/algorithms.js';

/**
 * The `typ` of what we sign: ID tokens `JWT`, access tokens (RFC 9068 §2.1), logout tokens (Back-Channel Logout §2.4), status lists
 * (Token Status List §5.1), security events (RFC 8417 §2.3), answers of the introspection endpoint (RFC 9701 §5).
 */
export type JwtType =
  | 'JWT'
  | 'at+jwt'
  | 'logout+jwt'
  | 'statuslist+jwt'
  | 'secevent+jwt'
  | 'token-introspection+jwt';

export interface SigningKey {
  readonly kid: string;
  readonly alg: JwsAlg;
  readonly jwk: JsonWebKey;
  readonly private_key: KeyObject;
  readonly public_key: KeyObject;
}

export interface VerifiedJwt {
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A JWT that somebody presents may be this long, in characters. */
export const longest_jwt = 16_384;

/** What node:crypto needs to know of each scheme. The salt of PSS is as long as the hash (RFC 7518 §3.5). */
const schemes = {
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
  pss: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  ecdsa: { dsaEncoding: 'ieee-p1363' },
  eddsa: {},
} as const satisfies Record<JwsAlgorithm['scheme'], Omit<SignKeyObjectInput, 'key'>>;

/** The hash that node:crypto applies first; EdDSA does that itself. */
function hashOf({ scheme, hash }: JwsAlgorithm): string | null {
  return scheme === 'eddsa' ? null : hash;
}

/** A key made ready, once: its headers and what `sign` wants of it. */
interface Signer {
  readonly hash: string | null;
  readonly input: SignKeyObjectInput;
  readonly headers: Map<JwtType, string>;
}

const signAsync = promisify(sign);
const signers = new WeakMap<SigningKey, Signer>();

/** Signs claims as a compact JWS. */
export async function signJwt(key: SigningKey, typ: JwtType, claims: object): Promise<string> {
  const signer = signerOf(key);
  const signed = `${headerOf(signer, key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = await signAsync(signer.hash, Buffer.from(signed), signer.input);
  return `${signed}.${signature.toString('base64url')}`;
}

function signerOf(key: SigningKey): Signer {
  const known = signers.get(key);
  if (known !== undefined) return known;
  const algorithm = jwsAlgorithms[key.alg];
  const input = { key: key.private_key, ...schemes[algorithm.scheme] };
  const signer = { hash: hashOf(algorithm), input, headers: new Map<JwtType, string>() };
  signers.set(key, signer);
  return signer;
}

function headerOf({ headers }: Signer, { alg, kid }: SigningKey, typ: JwtType): string {
  const header = headers.get(typ) ?? Buffer.from(JSON.stringify({ alg, typ, kid })).toString('base64url');
  headers.set(typ, header);
  return header;
}

/**
 * The claims of a compact JWS that one of `keys` signed with its own algorithm and this type. Undefined for anything else: the
 * header chooses a key by its kid, never an algorithm. Times and audience are the caller's to check.
 */
export function verifyJwt(keys: readonly SigningKey[], typ: JwtType, jwt: string): VerifiedJwt | undefined {
  const parts = jwt.length <= longest_jwt ? jwt.split('.') : [];
  const [protectedHeader = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every((part) => part !== '' && isBase64url(part))) return undefined;
  const header = parseObject(protectedHeader);
  const key = keys.find((candidate) => candidate.kid === header?.kid);
  if (key === undefined || header?.alg !== key.alg || header.typ !== typ || 'crit' in header)
    return undefined;
  const algorithm = jwsAlgorithms[key.alg];
  const signed = Buffer.from(`${protectedHeader}.${payload}`);
  const options = { key: key.public_key, ...schemes[algorithm.scheme] };
  if (!verify(hashOf(algorithm), signed, options, Buffer.from(signature, 'base64url'))) return undefined;
  const claims = parseObject(payload);
  return claims && { kid: key.kid, claims };
}

/**
 * base64url, or nothing, without padding: one text for one value. Decoders overlook strange characters and stray bits (RFC 4648 §3.5), which
 * encoding anew does not bring back.
 */
export function isBase64url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}

/** A part as the JSON object it is; undefined if it is none. */
export function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // not JSON: no JWT of ours
  }
}
