/** Makes keys: RSA of 2048 bits for RS256 (RFC 7518 §3.3), and symmetric ones for a purpose. Rows to be stored, already wrapped. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { newId, newKey } from '../secrets.js';
import type { Purpose, SecretKeyRow } from '../store/secret_keys.js';
import type { SigningKeyRow } from '../store/signing_keys.js';
import { secretContext, signingContext } from './keys.js';
import type { MasterKeys } from './master_key.js';

const generate = promisify(generateKeyPair);

/**
 * A signing key that signs from `active_at` on. Takes some 100 ms of CPU, in libuv's pool. Its kid never begins with a hyphen, so
 * that it is no option on a command line.
 */
export async function newSigningKey(
  master: MasterKeys,
  now: number,
  active_at: number,
): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048, publicExponent: 0x10001 });
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty, n, e } as { kty: string; n: string; e: string }); // an RSA key has these
  if (kid.startsWith('-')) return newSigningKey(master, now, active_at);
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return {
    kid,
    alg: 'RS256',
    public_jwk: JSON.stringify({ kty, n, e }),
    private_key_wrapped: master.wrap(der, signingContext(kid)),
    created_at: now,
    active_at,
    retired_at: null,
    expires_at: null,
  };
}

export function newSecretKey(master: MasterKeys, purpose: Purpose, now: number): SecretKeyRow {
  const id = newId();
  return {
    id,
    purpose,
    key_wrapped: master.wrap(newKey(), secretContext(id, purpose)),
    created_at: now,
    expires_at: null,
  };
}
