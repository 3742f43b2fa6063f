/**
 * JSON Web Encryption (RFC 7516), by jose: to a client's key, and what others encrypted to ours. Nothing is ever compressed, and what
 * is compressed is refused, whatever it may unfold to (hardening row 21).
 */
import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, errors, importJWK, type JWK } from 'jose';
import { type JweAlg, type JweEnc, jweEncs } from '../oauth/algorithms.js';
import { isBase64url, longest_jwt, parseObject } from './jws.js';

/** Whether a text is written like a JWE, which has five parts; a JWS has three. */
export function isJwe(text: string): boolean {
  return text.split('.', 6).length === 5;
}

export interface DecryptionKey {
  readonly kid: string;
  readonly alg: JweAlg;
  readonly private_key: KeyObject;
}

/**
 * Encrypts a JWT, signed before, to a public key (OpenID Connect Core §10.2): the header says what is inside, and which key it is
 * for. Throws a TypeError or a JOSEError where the key is none for `alg`.
 */
export async function encryptJwt(
  jwt: string,
  { jwk, alg, enc }: { readonly jwk: JWK; readonly alg: JweAlg; readonly enc: JweEnc },
): Promise<string> {
  const header = { alg, enc, cty: 'JWT', ...(jwk.kid !== undefined && { kid: jwk.kid }) };
  const key = await importJWK(jwk, alg);
  return new CompactEncrypt(new TextEncoder().encode(jwt)).setProtectedHeader(header).encrypt(key);
}

/**
 * The text that somebody encrypted to one of `keys` with that key's own algorithm. Undefined for anything else, and nothing tells
 * why: a kid that is named must be of ours; without one every key of its algorithm is tried.
 */
export async function decryptJwe(keys: readonly DecryptionKey[], jwe: string): Promise<string | undefined> {
  const parts = jwe.length <= longest_jwt ? jwe.split('.') : [];
  if (!parts.every(isBase64url)) return undefined;
  const header = parseObject(parts[0] ?? '');
  if (header === undefined || 'zip' in header) return undefined;
  const fitting = keys.filter(
    ({ kid, alg }) => alg === header.alg && (header.kid === undefined || header.kid === kid),
  );
  for (const { alg, private_key } of fitting) {
    try {
      const { plaintext } = await compactDecrypt(jwe, private_key, {
        keyManagementAlgorithms: [alg],
        contentEncryptionAlgorithms: [...jweEncs],
      });
      return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
    } catch (error) {
      // Not for this key, or malformed in one of the ways that a stranger can think of.
      if (!(error instanceof errors.JOSEError) && !(error instanceof TypeError)) throw error;
    }
  }
  return undefined;
}
