/** The life of keys: made at the first start, rotated, retired, wrapped anew. Design §7; decisions 9 and 10. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { isRotationDue, type KeyState, keyEnds, keyState } from '../keys/keyring.js';
import { addFirstMasterKey } from '../keys/master_key.js';
import { newSecretKey, newSigningKey } from '../keys/new_key.js';
import {
  isJweAlg,
  isJwsAlg,
  type JweAlg,
  type JwsAlg,
  jweAlgs,
  jwsAlgs,
  type KeyUse,
} from '../oauth/algorithms.js';
import { UserError } from '../oauth/errors.js';
import * as cacheVersions from '../store/cache_versions.js';
import type { Db, Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as leases from '../store/leases.js';
import * as secretKeys from '../store/secret_keys.js';
import * as signingKeys from '../store/signing_keys.js';
import { logout_token_seconds } from '../tokens/logout_token.js';
import { statusListLifetime } from '../tokens/status_list_token.js';
import { changing } from './changing.js';

const changeKeys = changing('keys');

export type KeyDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys' | 'masterKeys'>;

const day = 86_400;

/** How long a key pair still decrypts after it was replaced, in seconds: some keep a copy of our keys for days. */
const decrypts_seconds = 7 * day;

/**
 * How long an older key of a purpose still opens what it sealed, in seconds. Null for one that is never replaced: pairwise subjects
 * would change, and secrets of clients, and keys of second factors, are sealed as long as
 * they are there.
 */
function keptSeconds(config: Config, purpose: secretKeys.Purpose): number | null {
  const { REFRESH_TOKEN_SECONDS: refresh } = config;
  const never = { client_secret: null, factor: null, pairwise: null };
  return { seal: 30 * day, csrf: day, refresh, device: 400 * day, outbox: 7 * day, ...never }[purpose];
}

/**
 * Makes what keys are missing, and opens those there are. Throws MasterKeyError, a sentence for the operator, where the master key
 * is missing or another one: nothing is made anew then.
 */
export async function ensureKeys(deps: KeyDeps, now: number): Promise<void> {
  const missing = await missingKeys(deps.db);
  if (missing.signing && missing.purposes.length === secretKeys.purposes.length) makeMasterKey(deps.config);
  else await deps.keys.get();
  if (!missing.signing && missing.purposes.length === 0) return;

  const master = deps.masterKeys();
  const signingKey = await newSigningKey(master, 'RS256', now, now); // slow, so before the transaction
  await deps.db.transaction(async (trx) => {
    await oneAtATime(trx, now); // of two processes that start at once, one waits here for the other
    const still = await missingKeys(trx);
    if (still.signing) await signingKeys.insert(trx, signingKey);
    for (const purpose of still.purposes) await secretKeys.insert(trx, newSecretKey(master, purpose, now));
    await cacheVersions.bump(trx, 'keys');
  });
  deps.caches.expire();
  await deps.keys.get();
}

async function missingKeys(db: Db | Trx) {
  const signing = (await signingKeys.list(db)).length === 0;
  const there = new Set((await secretKeys.list(db)).map((key) => key.purpose));
  return { signing, purposes: secretKeys.purposes.filter((purpose) => !there.has(purpose)) };
}

function makeMasterKey(config: Config): void {
  if (config.MASTER_KEY === undefined) addFirstMasterKey(config.KEYS_DIR);
}

/** Waits until no other process changes keys, and lets no other do so until the transaction ends. */
async function oneAtATime(trx: Trx, now: number): Promise<void> {
  await leases.hold(trx, 'keys', now);
}

export interface ListedKey {
  readonly kid: string;
  readonly use: KeyUse;
  readonly alg: string;
  readonly state: KeyState;
  readonly active_at: number;
  readonly retired_at: number | null;
  readonly expires_at: number | null;
}

export async function listKeys(deps: Pick<Deps, 'db'>, now: number): Promise<readonly ListedKey[]> {
  const keys = await signingKeys.list(deps.db);
  return keys.map((key) => {
    const { kid, alg, active_at, retired_at, expires_at } = key;
    const use = isJwsAlg(alg) ? 'sig' : 'enc';
    return { kid, use, alg, state: keyState(key, ofAlg(keys, alg), now), active_at, retired_at, expires_at };
  });
}

/** The succession of keys that one algorithm has. */
function ofAlg(keys: readonly signingKeys.SigningKeyRow[], alg: string): signingKeys.SigningKeyRow[] {
  return keys.filter((key) => key.alg === alg);
}

/**
 * Makes the first key of each algorithm that has none. It is in use at once: nobody was told of the algorithm before, so nobody counts
 * on the JWK Set that they have, and an unknown kid makes an application fetch it anew (OpenID Connect Core §10.1.1).
 */
export async function ensureKeysFor(
  deps: KeyDeps,
  algs: readonly (JwsAlg | JweAlg)[],
  now: number,
): Promise<void> {
  const { config, db } = deps;
  const there = await signingKeys.list(db);
  for (const alg of algs.filter((one) => ofAlg(there, one).length === 0)) {
    const added = await newSigningKey(deps.masterKeys(), alg, now, now);
    await db.transaction(async (trx) => {
      await oneAtATime(trx, now);
      if (ofAlg(await signingKeys.list(trx), alg).length > 0) return; // another process was faster
      assertNewestMaster(deps, added.private_key_wrapped);
      await signingKeys.insert(trx, added);
      await cacheVersions.bump(trx, 'keys');
      const event = { type: 'signing_key_added', detail: added.kid } as const;
      await events.record(trx, event, now, config.EVENTS_SECONDS);
    });
    deps.caches.expire();
  }
}

/**
 * Announces a new key for an algorithm (RS256 if not said), which takes over when every application has had time to fetch it: twice
 * the JWK Set's max-age from now, or `at_once`. The old one stays published until its last token has expired. Returns the new kid.
 */
export async function rotateSigningKey(
  deps: KeyDeps,
  options: { readonly at_once: boolean; readonly alg?: JwsAlg | JweAlg },
  now: number,
): Promise<string> {
  const { config } = deps;
  const active_at = options.at_once ? now : now + 2 * config.JWKS_MAX_AGE_SECONDS;
  const added = await newSigningKey(deps.masterKeys(), options.alg ?? 'RS256', now, active_at);
  await changeAlone(deps, { type: 'signing_key_added', detail: added.kid }, now, async (trx) => {
    assertNewestMaster(deps, added.private_key_wrapped);
    await signingKeys.insert(trx, added);
    await endReplacedKeys(trx, config, now);
  });
  return added.kid;
}

export interface RotatedKey {
  readonly kid: string;
  readonly alg: string;
}

/** Rotates the keys of every algorithm that has some, or those of `alg` alone. Throws UserError `not_found` where that has none. */
export async function rotateKeys(
  deps: KeyDeps,
  options: { readonly at_once: boolean; readonly alg: string | undefined },
  now: number,
): Promise<readonly RotatedKey[]> {
  const { at_once, alg: only } = options;
  const algs = (await algsWithKeys(deps.db)).filter((alg) => only === undefined || alg === only);
  if (algs.length === 0)
    throw new UserError('not_found', { key: 'admin.no_key_for', values: { alg: String(only) } });
  const rotated: RotatedKey[] = [];
  for (const alg of algs) rotated.push({ kid: await rotateSigningKey(deps, { at_once, alg }, now), alg });
  return rotated;
}

async function algsWithKeys(db: Db): Promise<readonly (JwsAlg | JweAlg)[]> {
  const there = new Set((await signingKeys.list(db)).map(({ alg }) => alg));
  return [...jwsAlgs, ...jweAlgs].filter((alg) => there.has(alg));
}

/**
 * A key is made before its transaction. Where the master key was changed in between it would need the old one for ever, which the
 * operator was just told to delete. Throws UserError `conflict`.
 */
function assertNewestMaster(deps: Pick<Deps, 'masterKeys'>, wrapped: string): void {
  if (!deps.masterKeys().isCurrent(wrapped)) throw new UserError('conflict', 'admin.master_key_changed');
}

/** Gives every key the end that follows from the keys that are there. */
async function endReplacedKeys(trx: Trx, config: Config, now: number): Promise<void> {
  const keys = await signingKeys.list(trx);
  for (const alg of new Set(keys.map((key) => key.alg))) {
    const kept_seconds = isJwsAlg(alg) ? longestToken(config) : decrypts_seconds;
    for (const { key, retired_at, expires_at } of keyEnds(ofAlg(keys, alg), kept_seconds, now))
      await signingKeys.end(trx, key.kid, retired_at, expires_at);
  }
}

/** Seconds until nothing that is signed now can be valid any more, with some room for clocks that differ. */
function longestToken(config: Config): number {
  const { ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS } = config;
  const all = [ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS, logout_token_seconds, statusListLifetime(config)];
  return Math.max(...all) + 60;
}

/**
 * Takes a key out at once, for one that may have leaked: nothing it signed verifies any more, nothing is decrypted with it. Where no
 * other of its algorithm could take its place now, a new one does. Throws UserError `not_found`.
 */
export async function retireSigningKey(
  deps: KeyDeps,
  kid: string,
  now: number,
): Promise<{ readonly replaced_by: string | null }> {
  const alg = (await signingKeys.list(deps.db)).find((key) => key.kid === kid)?.alg ?? '';
  if (!isJwsAlg(alg) && !isJweAlg(alg)) throw noSuchKey(kid);
  const replacement = await newSigningKey(deps.masterKeys(), alg, now, now);
  let replaced_by: string | null = null;
  await changeAlone(deps, { type: 'signing_key_retired', detail: kid }, now, async (trx) => {
    if (!(await signingKeys.remove(trx, kid))) throw noSuchKey(kid);
    const others = ofAlg(await signingKeys.list(trx), alg);
    const covered = others.some((key) => keyState(key, others, now) === 'active');
    replaced_by = covered ? null : replacement.kid;
    if (!covered) {
      assertNewestMaster(deps, replacement.private_key_wrapped);
      await signingKeys.insert(trx, replacement);
    }
    await endReplacedKeys(trx, deps.config, now);
  });
  return { replaced_by };
}

function noSuchKey(kid: string): UserError {
  return new UserError('not_found', { key: 'admin.no_signing_key', values: { kid } });
}

/** Makes the keys to encrypt to that are missing, rotates whatever is older than KEY_ROTATION_SECONDS, and forgets keys that are long gone. For jobs/rotate_keys.ts. */
export async function rotateDueKeys(deps: KeyDeps, now: number): Promise<void> {
  const { config, db } = deps;
  await ensureKeysFor(deps, jweAlgs, now);
  const keys = await signingKeys.list(db);
  for (const alg of await algsWithKeys(db)) {
    if (isRotationDue(ofAlg(keys, alg), config.KEY_ROTATION_SECONDS, now))
      await rotateSigningKey(deps, { at_once: false, alg }, now);
  }
  await signingKeys.removeGone(db, now - config.SESSION_MAX_SECONDS);
  const newest = (await secretKeys.list(db)).filter((key) => key.expires_at === null);
  for (const key of newest) {
    const kept_seconds = keptSeconds(config, key.purpose);
    const due = now - key.created_at >= config.KEY_ROTATION_SECONDS;
    if (due && kept_seconds !== null) await rotateSecretKey(deps, key, kept_seconds, now);
  }
}

async function rotateSecretKey(
  deps: KeyDeps,
  old: secretKeys.SecretKeyRow,
  kept_seconds: number,
  now: number,
): Promise<void> {
  const added = newSecretKey(deps.masterKeys(), old.purpose, now);
  await deps.db.transaction(async (trx) => {
    await oneAtATime(trx, now);
    assertNewestMaster(deps, added.key_wrapped);
    await secretKeys.expire(trx, old.id, now + kept_seconds);
    await secretKeys.insert(trx, added);
    await cacheVersions.bump(trx, 'keys');
  });
  deps.caches.expire();
}

/** Changes keys in a transaction, one process at a time; every process reads them anew within a second. */
export async function changeAlone(
  deps: KeyDeps,
  event: events.Event,
  now: number,
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  await changeKeys(deps, event, now, async (trx) => {
    await oneAtATime(trx, now);
    await work(trx);
  });
}
