/** Makes keys: pairs of the kind that an algorithm wants (RFC 7518, RFC 8037), and symmetric ones for a purpose. Rows, already wrapped. */
import { generateKeyPair, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { type JweAlg, type JwsAlg, type KeyKind, keyKindOf } from '../oauth/algorithms.js';
import { newId, newKey } from '../secrets.js';
import type { Purpose, SecretKeyRow } from '../store/secret_keys.js';
import type { SigningKeyRow } from '../store/signing_keys.js';
import { publicMembers } from './jwk_set.js';
import { secretContext, signingContext } from './keys.js';
import type { MasterKeys } from './master_key.js';

const generate = promisify(generateKeyPair);

/**
 * A key pair for an algorithm that is used from `active_at` on. One of RSA takes some 100 ms of CPU, in libuv's pool. Its kid never
 * begins with a hyphen, so that it is no option on a command line.
 */
export async function newSigningKey(
  master: MasterKeys,
  alg: JwsAlg | JweAlg,
  now: number,
  active_at: number,
): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await newPair(keyKindOf(alg));
  const exported = publicKey.export({ format: 'jwk' });
  const jwk = { kty: exported.kty, ...publicMembers(exported) };
  const kid = await calculateJwkThumbprint(jwk as JWK); // a key of ours has its kty
  if (kid.startsWith('-')) return newSigningKey(master, alg, now, active_at);
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return {
    kid,
    alg,
    public_jwk: JSON.stringify(jwk),
    private_key_wrapped: master.wrap(der, signingContext(kid)),
    created_at: now,
    active_at,
    retired_at: null,
    expires_at: null,
  };
}

function newPair(kind: KeyKind): Promise<KeyPairKeyObjectResult> {
  if (kind.kty === 'RSA') return generate('rsa', { modulusLength: 2048, publicExponent: 0x10001 });
  return kind.kty === 'EC' ? generate('ec', { namedCurve: kind.crv }) : generate('ed25519');
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
