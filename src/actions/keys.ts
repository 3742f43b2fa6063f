/** The life of keys: made at the first start, rotated, retired, wrapped anew. Design §7; decisions 9 and 10. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { isRotationDue, type KeyState, keyEnds, keyState } from '../keys/keyring.js';
import { secretContext, signingContext } from '../keys/keys.js';
import { addFirstMasterKey, addMasterKey, type MasterKeys } from '../keys/master_key.js';
import { newSecretKey, newSigningKey } from '../keys/new_key.js';
import { UserError } from '../oauth/errors.js';
import * as cacheVersions from '../store/cache_versions.js';
import type { Db, Trx } from '../store/db.js';
import type * as events from '../store/events.js';
import * as leases from '../store/leases.js';
import * as secretKeys from '../store/secret_keys.js';
import * as signingKeys from '../store/signing_keys.js';
import { logout_token_seconds } from '../tokens/logout_token.js';
import { statusListLifetime } from '../tokens/status_list_token.js';
import { changing } from './changing.js';

const changeKeys = changing('keys');

type KeyDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys' | 'masterKeys'>;

const day = 86_400;

/** How long an older key of a purpose still opens what it sealed, in seconds. */
function keptSeconds(config: Config, purpose: secretKeys.Purpose): number {
  return { seal: 30 * day, csrf: day, refresh: config.REFRESH_TOKEN_SECONDS, device: 400 * day }[purpose];
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
  const signingKey = await newSigningKey(master, now, now); // slow, so before the transaction
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
  await leases.take(trx, 'keys', now, now); // it is over at once: what counts is the lock on its row
}

export interface ListedKey {
  readonly kid: string;
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
    return { kid, alg, state: keyState(key, keys, now), active_at, retired_at, expires_at };
  });
}

/**
 * Announces a new signing key, which takes over when every application has had time to fetch it: twice the JWK Set's max-age from
 * now, or `at_once`. The old one stays published until its last token has expired. Returns the new kid.
 */
export async function rotateSigningKey(
  deps: KeyDeps,
  options: { readonly at_once: boolean },
  now: number,
): Promise<string> {
  const { config } = deps;
  const active_at = options.at_once ? now : now + 2 * config.JWKS_MAX_AGE_SECONDS;
  const added = await newSigningKey(deps.masterKeys(), now, active_at);
  await change(deps, { type: 'signing_key_added', detail: added.kid }, now, async (trx) => {
    assertNewestMaster(deps, added.private_key_wrapped);
    await signingKeys.insert(trx, added);
    await endReplacedKeys(trx, config, now);
  });
  return added.kid;
}

/**
 * A key is made before its transaction. Where the master key was changed in between it would need the old one for ever, which the
 * operator was just told to delete. Throws UserError `conflict`.
 */
function assertNewestMaster(deps: Pick<Deps, 'masterKeys'>, wrapped: string): void {
  if (!deps.masterKeys().isCurrent(wrapped))
    throw new UserError('conflict', 'The master key was changed at the same time. Please try again.');
}

/** Gives every key the end that follows from the keys that are there. */
async function endReplacedKeys(trx: Trx, config: Config, now: number): Promise<void> {
  const keys = await signingKeys.list(trx);
  for (const { key, retired_at, expires_at } of keyEnds(keys, longestToken(config), now))
    await signingKeys.end(trx, key.kid, retired_at, expires_at);
}

/** Seconds until nothing that is signed now can be valid any more, with some room for clocks that differ. */
function longestToken(config: Config): number {
  const { ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS } = config;
  const all = [ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS, logout_token_seconds, statusListLifetime(config)];
  return Math.max(...all) + 60;
}

/**
 * Takes a signing key out at once, for one that may have leaked: nothing it signed verifies any more. Where no other could sign
 * now, a new one takes over. Throws UserError `not_found`.
 */
export async function retireSigningKey(
  deps: KeyDeps,
  kid: string,
  now: number,
): Promise<{ readonly replaced_by: string | null }> {
  const replacement = await newSigningKey(deps.masterKeys(), now, now);
  let replaced_by: string | null = null;
  await change(deps, { type: 'signing_key_retired', detail: kid }, now, async (trx) => {
    if (!(await signingKeys.remove(trx, kid)))
      throw new UserError('not_found', `There is no signing key ${kid}.`);
    const others = await signingKeys.list(trx);
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

/** Rotates whatever is older than KEY_ROTATION_SECONDS, and forgets keys that are long gone. For jobs/rotate_keys.ts. */
export async function rotateDueKeys(deps: KeyDeps, now: number): Promise<void> {
  const { config, db } = deps;
  if (isRotationDue(await signingKeys.list(db), config.KEY_ROTATION_SECONDS, now))
    await rotateSigningKey(deps, { at_once: false }, now);
  await signingKeys.removeGone(db, now - config.SESSION_MAX_SECONDS);
  const newest = (await secretKeys.list(db)).filter((key) => key.expires_at === null);
  for (const key of newest) {
    if (now - key.created_at >= config.KEY_ROTATION_SECONDS) await rotateSecretKey(deps, key, now);
  }
}

async function rotateSecretKey(deps: KeyDeps, old: secretKeys.SecretKeyRow, now: number): Promise<void> {
  const added = newSecretKey(deps.masterKeys(), old.purpose, now);
  await deps.db.transaction(async (trx) => {
    await oneAtATime(trx, now);
    assertNewestMaster(deps, added.key_wrapped);
    await secretKeys.expire(trx, old.id, now + keptSeconds(deps.config, old.purpose));
    await secretKeys.insert(trx, added);
    await cacheVersions.bump(trx, 'keys');
  });
  deps.caches.expire();
}

/**
 * Moves every key to the newest master key; where it comes from a folder, a new one is made there first. Running servers read the
 * keys anew within a second. Returns how many were wrapped anew.
 */
export async function rewrapKeys(deps: KeyDeps, now: number): Promise<number> {
  if (deps.config.MASTER_KEY === undefined) addMasterKey(deps.config.KEYS_DIR);
  const master = deps.masterKeys();
  let wrapped = 0;
  await change(deps, { type: 'keys_rewrapped' }, now, async (trx) => {
    wrapped = (await rewrapSigningKeys(trx, master)) + (await rewrapSecretKeys(trx, master));
  });
  return wrapped;
}

async function rewrapSigningKeys(trx: Trx, master: MasterKeys): Promise<number> {
  const rows = (await signingKeys.list(trx)).filter((row) => !master.isCurrent(row.private_key_wrapped));
  for (const { kid, private_key_wrapped } of rows) {
    const context = signingContext(kid);
    await signingKeys.rewrap(trx, kid, master.wrap(master.unwrap(private_key_wrapped, context), context));
  }
  return rows.length;
}

async function rewrapSecretKeys(trx: Trx, master: MasterKeys): Promise<number> {
  const rows = (await secretKeys.list(trx)).filter((row) => !master.isCurrent(row.key_wrapped));
  for (const { id, purpose, key_wrapped } of rows) {
    const context = secretContext(id, purpose);
    await secretKeys.rewrap(trx, id, master.wrap(master.unwrap(key_wrapped, context), context));
  }
  return rows.length;
}

async function change(
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
