/**
 * The keys of a running server, opened once and kept in memory: what signs, what is published, what seals. They are read anew
 * when their version counter changes. RFC 7515, RFC 7517; decisions 9.
 */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isJweAlg, isJwsAlg, type JweAlg, type JwsAlg, jwsAlgs } from '../oauth/algorithms.js';
import { decrypt, encrypt, equal, mac } from '../secrets.js';
import type { Caches } from '../store/caches.js';
import type { Db } from '../store/db.js';
import * as secretKeys from '../store/secret_keys.js';
import * as signingKeys from '../store/signing_keys.js';
import { type DecryptionKey, decryptJwe } from './jwe.js';
import { jwkSet, type PublishedSet } from './jwk_set.js';
import { type JwtType, type SigningKey, signJwt, type VerifiedJwt, verifyJwt } from './jws.js';
import { type KeyTimes, keysToEncryptTo, publishedKeys, signingKey } from './keyring.js';
import { MasterKeyError, type MasterKeys } from './master_key.js';

/** The keys as they are at one moment. Only signing waits; all else is at hand, also inside a transaction. */
export interface KeyRing {
  /** Signs claims as a compact JWS with the key of `alg` (RS256 if not said) that is active at `now`. */
  sign(typ: JwtType, claims: object, now: number, alg?: JwsAlg): Promise<string>;
  /** Verifies a JWT of our own: signature, algorithm, type. Not its times and not its audience. Undefined if it is none. */
  verify(typ: JwtType, jwt: string, now: number): VerifiedJwt | undefined;
  /** Decrypts a compact JWE that was encrypted to one of our published keys, or one retired not long ago. Undefined if it was not. */
  decrypt(jwe: string, now: number): Promise<string | undefined>;
  /** The public keys at `now`, as the bytes to send. */
  published(now: number): PublishedSet;
  /** Encrypts for a purpose with its newest key. */
  seal(purpose: secretKeys.Purpose, plain: Buffer, context: string): string;
  /** Opens what `seal` made, with any key of the purpose that is still kept. Undefined if none fits. */
  open(purpose: secretKeys.Purpose, sealed: string, context: string): Buffer | undefined;
  /** A MAC of a text under the newest key of a purpose: 43 characters. */
  mac(purpose: secretKeys.Purpose, text: string): string;
  /** Whether a MAC was made by any key of the purpose that is still kept. */
  isMac(purpose: secretKeys.Purpose, text: string, candidate: string): boolean;
}

/** Gives the key ring, read anew if a key was added, retired or rewrapped. */
export interface Keys {
  get(): Promise<KeyRing>;
}

interface SecretKey {
  readonly id: string;
  readonly purpose: secretKeys.Purpose;
  readonly key: Buffer;
}

/** A key pair for whatever algorithm. */
interface KeyPair extends KeyTimes {
  readonly kid: string;
  readonly alg: JwsAlg | JweAlg;
  readonly jwk: JsonWebKey;
  readonly private_key: KeyObject;
  readonly public_key: KeyObject;
}

interface OpenedKeys {
  readonly pairs: readonly KeyPair[];
  readonly secret: readonly SecretKey[];
}

export interface KeysOptions {
  readonly db: Db;
  readonly caches: Caches;
  /** Gives the master keys that are there now: asked when a key is read that is not open yet. */
  readonly masterKeys: () => MasterKeys;
  /** How long after its end a retired key still verifies an id_token_hint, in seconds. */
  readonly hint_seconds: number;
}

export function createKeys({ db, caches, masterKeys, hint_seconds }: KeysOptions): Keys {
  let opened: OpenedKeys = { pairs: [], secret: [] };
  const open = async () => {
    opened = await openAll(db, masterKeys, opened);
    return opened;
  };
  return caches.keep('keys', async () => keyRing(await open(), hint_seconds, open));
}

/** JWTs of our own that are not verified twice: some 5 MiB at most. */
const most_verified = 4096;

type SigningPair = KeyPair & SigningKey;

function isSigningKey(pair: KeyPair): pair is SigningPair {
  return isJwsAlg(pair.alg);
}

function ofAlg({ pairs }: OpenedKeys, alg: JwsAlg): readonly SigningPair[] {
  return pairs.filter(isSigningKey).filter((key) => key.alg === alg);
}

/** `reopen` gives the keys as the database holds them now. */
function keyRing(
  { pairs, secret }: OpenedKeys,
  hint_seconds: number,
  reopen: () => Promise<OpenedKeys>,
): KeyRing {
  const signing = pairs.filter(isSigningKey);
  const encryption = pairs.filter((pair): pair is KeyPair & DecryptionKey => isJweAlg(pair.alg));
  const byAlg = new Map(jwsAlgs.map((alg) => [alg, signing.filter((key) => key.alg === alg)]));
  const sets = new Map<string, PublishedSet>();
  let verified: LRUCache<string, VerifiedJwt> | undefined; // takes its whole room at once: not before there is a token
  const ofPurpose = (purpose: secretKeys.Purpose) => secret.filter((key) => key.purpose === purpose);
  const newestOf = (purpose: secretKeys.Purpose) => {
    const newest = secret.find((key) => key.purpose === purpose);
    if (newest === undefined) throw new Error(`there is no key for ${purpose}`);
    return newest;
  };

  return {
    async sign(typ, claims, now, alg = 'RS256') {
      // A client that another process registered a moment ago may be known here before the first key of its algorithm.
      const key = signingKey(byAlg.get(alg) ?? [], now) ?? signingKey(ofAlg(await reopen(), alg), now);
      if (key === undefined) throw new Error(`there is no signing key for ${alg} whose time has come`);
      return signJwt(key, typ, claims);
    },
    verify(typ, jwt, now) {
      const trusted = signing.filter((key) => key.expires_at === null || key.expires_at + hint_seconds > now);
      // The same text verifies the same way as long as its key is trusted: an access token comes again with every request.
      verified ??= new LRUCache({ max: most_verified });
      const known = verified.get(`${typ} ${jwt}`);
      if (known !== undefined && trusted.some((key) => key.kid === known.kid)) return known;
      const fresh = verifyJwt(trusted, typ, jwt);
      if (fresh !== undefined) verified.set(`${typ} ${jwt}`, fresh);
      return fresh;
    },
    decrypt(jwe, now) {
      return decryptJwe(publishedKeys(encryption, now), jwe); // retired ones with them
    },
    published(now) {
      const current = [...publishedKeys(signing, now), ...keysToEncryptTo(encryption, now)];
      const kids = current.map((key) => key.kid).join(' ');
      const set = sets.get(kids) ?? jwkSet(current);
      sets.set(kids, set);
      return set;
    },
    seal(purpose, plain, context) {
      const { id, key } = newestOf(purpose);
      return `${id}.${encrypt(key, plain, context)}`;
    },
    open(purpose, sealed, context) {
      const [id = '', text = ''] = sealed.split('.');
      const key = ofPurpose(purpose).find((candidate) => candidate.id === id);
      return key && decrypt(key.key, text, context);
    },
    mac: (purpose, text) => mac(newestOf(purpose).key, text),
    isMac: (purpose, text, candidate) =>
      ofPurpose(purpose).some(({ key }) => equal(mac(key, text), candidate)),
  };
}

/**
 * The keys that the database holds now, with their times. What is open stays open: a rewrap changes how a key is stored, not the key,
 * so a running server that has not been given the new master key goes on.
 */
async function openAll(db: Db, masterKeys: () => MasterKeys, opened: OpenedKeys): Promise<OpenedKeys> {
  const rows = { pairs: await signingKeys.list(db), secret: await secretKeys.list(db) };
  let master: MasterKeys | undefined;
  const unwrap: Unwrap = (wrapped, context) => {
    master ??= masterKeys();
    return master.unwrap(wrapped, context);
  };
  return {
    pairs: rows.pairs.map((row) => openKeyPair(row, opened, unwrap)),
    secret: rows.secret.map((row) => openSecretKey(row, opened, unwrap)),
  };
}

type Unwrap = MasterKeys['unwrap'];

function openSecretKey(row: secretKeys.SecretKeyRow, opened: OpenedKeys, unwrap: Unwrap): SecretKey {
  const { id, purpose, key_wrapped } = row;
  const open = opened.secret.find((key) => key.id === id);
  return open ?? { id, purpose, key: unwrap(key_wrapped, secretContext(id, purpose)) };
}

/** What a wrapped key is bound to in the database. */
export function secretContext(id: string, purpose: string): string {
  return `secret_keys ${purpose} ${id}`;
}

export function signingContext(kid: string): string {
  return `signing_keys ${kid}`;
}

function openKeyPair(row: signingKeys.SigningKeyRow, opened: OpenedKeys, unwrap: Unwrap): KeyPair {
  const { kid, alg, created_at, active_at, retired_at, expires_at } = row;
  const open = opened.pairs.find((key) => key.kid === kid);
  if (open !== undefined) return { ...open, created_at, active_at, retired_at, expires_at };
  const jwk = JSON.parse(row.public_jwk) as JsonWebKey; // written by newSigningKey
  const der = unwrap(row.private_key_wrapped, signingContext(kid));
  if (!isJwsAlg(alg) && !isJweAlg(alg))
    throw new MasterKeyError(`The key ${kid} is for ${alg}, which this release does not know.`);
  const private_key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const public_key = createPublicKey({ key: jwk, format: 'jwk' });
  return { kid, alg, jwk, private_key, public_key, created_at, active_at, retired_at, expires_at };
}
