/** The public keys of clients: registered with them (jwks) or fetched from their jwks_uri and kept for a minute. */
import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
  type LocalJWKSet,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { type Outbound, OutboundError } from '../limits/outbound.js';
import type { JweAlg } from '../oauth/algorithms.js';
import { type EncryptionKey, encryptionKeyOf } from '../oauth/encryption_key.js';
import type { Client } from '../store/clients.js';

/** Whoever has keys of their own, with them or at an address. */
export type KeyHolder = Pick<Client, 'jwks' | 'jwks_uri'>;

export interface ClientKeys {
  /** Finds a client's key for a JWT. Undefined if the client has no keys. Throws OutboundError if they cannot be fetched. */
  find(client: KeyHolder, now: number): Promise<JWTVerifyGetKey | undefined>;
  /** The same, but fetches its jwks_uri anew even if it was fetched a moment ago: for a kid that is not known yet. */
  renew(client: KeyHolder, now: number): Promise<JWTVerifyGetKey | undefined>;
  /** All keys of a client, as `find` and as `renew` find them; none if it has none. */
  findAll(client: KeyHolder, now: number): Promise<readonly JWK[]>;
  renewAll(client: KeyHolder, now: number): Promise<readonly JWK[]>;
  /** The client's key to encrypt to with `alg`; undefined if it has none. Throws OutboundError as `find`. */
  findToEncrypt(client: KeyHolder, alg: JweAlg, now: number): Promise<EncryptionKey | undefined>;
}

/** Seconds: OpenID Connect Core §10.1.1, and how often an unknown kid may make us ask. */
const keep_seconds = 60;
const again_seconds = 5;

interface Fetched {
  readonly fetched_at: number;
  readonly keys: Promise<LocalJWKSet>;
  readonly failed?: true;
}

export function createClientKeys(outbound: Outbound): ClientKeys {
  const fetched = new LRUCache<string, Fetched>({ max: 1000 });

  function fetchKeys(jwks_uri: string, now: number): Promise<LocalJWKSet> {
    const keys = outbound
      .fetch({ url: jwks_uri, accept: 'application/jwk-set+json, application/json', max_bytes: 65_536 })
      .then(({ body }) => parseJwkSet(body.toString('utf8')));
    fetched.set(jwks_uri, { fetched_at: now, keys });
    // Kept for a moment, too: whoever has nothing to sign with cannot make us ask on and on.
    keys.catch(() => {
      if (fetched.get(jwks_uri)?.keys === keys)
        fetched.set(jwks_uri, { fetched_at: now, keys, failed: true });
    });
    return keys;
  }

  async function keysOf({ jwks, jwks_uri }: KeyHolder, now: number, max_age: number) {
    if (jwks !== undefined) return createLocalJWKSet(jwks as JSONWebKeySet); // its shape was checked at registration
    if (jwks_uri === undefined) return undefined;
    const known = fetched.get(jwks_uri);
    if (known === undefined) return fetchKeys(jwks_uri, now);
    const kept = known.failed ? again_seconds : max_age;
    return now - known.fetched_at < kept ? known.keys : fetchKeys(jwks_uri, now);
  }

  return {
    find: (client, now) => keysOf(client, now, keep_seconds),
    renew: (client, now) => keysOf(client, now, again_seconds),
    findAll: async (client, now) => (await keysOf(client, now, keep_seconds))?.jwks().keys ?? [],
    renewAll: async (client, now) => (await keysOf(client, now, again_seconds))?.jwks().keys ?? [],
    async findToEncrypt(client, alg, now) {
      if (client.jwks !== undefined) return encryptionKeyOf(client.jwks.keys, alg);
      const keyAmong = (keys: LocalJWKSet | undefined) => keys && encryptionKeyOf([...keys.jwks().keys], alg);
      return (
        keyAmong(await keysOf(client, now, keep_seconds)) ??
        keyAmong(await keysOf(client, now, again_seconds))
      );
    },
  };
}

/**
 * What `verify` gives with the keys of a client; where none of them has the kid, with its keys fetched anew. Undefined if the client has
 * no keys. Throws as `verify` does, and OutboundError where the keys cannot be fetched.
 */
export async function verifyWithKeys<T>(
  clientKeys: ClientKeys,
  client: KeyHolder,
  now: number,
  verify: (keys: JWTVerifyGetKey) => Promise<T>,
): Promise<T | undefined> {
  const known = await clientKeys.find(client, now);
  if (known === undefined) return undefined;
  try {
    return await verify(known);
  } catch (error) {
    const renewed = error instanceof errors.JWKSNoMatchingKey && (await clientKeys.renew(client, now));
    if (!renewed || renewed === known) throw error;
    return verify(renewed);
  }
}

function parseJwkSet(text: string): LocalJWKSet {
  try {
    return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet); // jose checks its shape
  } catch (cause) {
    throw new OutboundError('the answer is not a JWK Set', { cause });
  }
}
