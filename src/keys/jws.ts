/**
 * JSON Web Signatures with our own keys, put together by hand: the protected header is made once per key and type, the signature
 * is computed in libuv's pool. RFC 7515 §7.1; RFC 7518 §3.3; RFC 8725 §3.
 */
import { constants, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';

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
  readonly alg: 'RS256';
  readonly jwk: JsonWebKey;
  readonly private_key: KeyObject;
  readonly public_key: KeyObject;
}

export interface VerifiedJwt {
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A JWT that somebody presents may be this long, in characters. */
const longest = 16_384;

const signAsync = promisify(sign);
const headers = new WeakMap<SigningKey, Map<JwtType, string>>();

/** Signs claims as a compact JWS. */
export async function signJwt(key: SigningKey, typ: JwtType, claims: object): Promise<string> {
  const signed = `${headerOf(key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = await signAsync('sha256', Buffer.from(signed), key.private_key);
  return `${signed}.${signature.toString('base64url')}`;
}

function headerOf(key: SigningKey, typ: JwtType): string {
  const known = headers.get(key) ?? new Map<JwtType, string>();
  headers.set(key, known);
  const header =
    known.get(typ) ?? Buffer.from(JSON.stringify({ alg: key.alg, typ, kid: key.kid })).toString('base64url');
  known.set(typ, header);
  return header;
}

/**
 * The claims of a compact JWS that one of `keys` signed with its own algorithm and this type. Undefined for anything else: the
 * header chooses a key by its kid, never an algorithm. Times and audience are the caller's to check.
 */
export function verifyJwt(keys: readonly SigningKey[], typ: JwtType, jwt: string): VerifiedJwt | undefined {
  const parts = jwt.length <= longest ? jwt.split('.') : [];
  const [protectedHeader = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every(isBase64url)) return undefined;
  const header = parseObject(protectedHeader);
  const key = keys.find((candidate) => candidate.kid === header?.kid);
  if (key === undefined || header?.alg !== key.alg || header.typ !== typ || 'crit' in header)
    return undefined;
  const signed = Buffer.from(`${protectedHeader}.${payload}`);
  const options = { key: key.public_key, padding: constants.RSA_PKCS1_PADDING };
  if (!verify('sha256', signed, options, Buffer.from(signature, 'base64url'))) return undefined;
  const claims = parseObject(payload);
  return claims && { kid: key.kid, claims };
}

/** base64url without padding, and with no stray bits: one text for one value (RFC 4648 §3.5). */
function isBase64url(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // not JSON: no JWT of ours
  }
}
