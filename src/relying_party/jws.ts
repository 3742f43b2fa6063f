/** Compact JSON Web Signatures as they come in. RFC 7515 §3.1 and §5.2; RFC 8725 §3. */
import { TokenError } from './errors.js';
import { isObject } from './json.js';
import { type Algorithm, algorithms, type Check } from './public_key.js';

export interface JwsHeader {
  readonly alg: Algorithm;
  /** In lower case and without `application/` (RFC 7515 §4.1.9). */
  readonly typ: string;
  readonly kid: string | undefined;
}

/** The three parts, still encoded. */
export interface Jws {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** What is signed: header and payload with the dot between them. */
  readonly signed: string;
}

/** Takes a compact JWS apart. Throws TokenError `malformed`. */
export function splitJws(jws: string, longest: number): Jws {
  if (typeof jws !== 'string' || jws.length > longest)
    throw malformed(`is longer than ${longest} characters`);
  const first = jws.indexOf('.');
  const second = jws.indexOf('.', first + 1);
  if (first < 1 || second < first + 2 || second === jws.length - 1 || jws.includes('.', second + 1))
    throw malformed('is no compact JWS');
  return {
    header: jws.slice(0, first),
    payload: jws.slice(first + 1, second),
    signature: jws.slice(second + 1),
    signed: jws.slice(0, second),
  };
}

/** Reads a header and refuses what is not understood. Throws TokenError `malformed`, `algorithm` or `crit`. */
export function parseHeader(part: string, allowed: readonly Algorithm[]): JwsHeader {
  const bytes = Buffer.from(part, 'base64url');
  const header = bytes.toString('base64url') === part ? parseJson(bytes) : undefined;
  if (header === undefined) throw malformed('has no readable header');
  const { alg, typ, kid, b64, zip } = header;
  if ('crit' in header || b64 !== undefined || zip !== undefined)
    throw new TokenError('crit', 'the header demands an extension that is not understood');
  const algorithm = algorithms.find((one) => one === alg);
  if (algorithm === undefined || !allowed.includes(algorithm))
    throw new TokenError('algorithm', 'the signature algorithm is not allowed');
  if ((kid !== undefined && typeof kid !== 'string') || (typ !== undefined && typeof typ !== 'string'))
    throw malformed('has no readable header');
  return { alg: algorithm, typ: (typ ?? '').toLowerCase().replace(/^application\//, ''), kid };
}

/** Checks the signature and gives the claims. Throws TokenError `signature`, or `malformed` where no object was signed. */
export function openJws(
  { signed, signature, payload }: Jws,
  check: Check,
): Readonly<Record<string, unknown>> {
  const bytes = Buffer.from(signature, 'base64url');
  // One text for one signature: Node's decoder overlooks strange characters and stray bits (RFC 4648 §3.5).
  if (bytes.toString('base64url') !== signature || !check(Buffer.from(signed), bytes))
    throw new TokenError('signature', 'the signature does not match');
  const claims = parseJson(Buffer.from(payload, 'base64url'));
  if (claims === undefined) throw malformed('has no readable claims');
  return claims;
}

function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: the caller says what of it
  }
}

function malformed(what: string): TokenError {
  return new TokenError('malformed', `the token ${what}`);
}
