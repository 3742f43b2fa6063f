/**
 * The issuer's JWK Set: fetched once for all who wait, kept as long as its Cache-Control says, and used for longer while it cannot be
 * fetched again. OpenID Connect Core §10.1.1.
 */
import { lifetimeOf, type Metadata } from './metadata.js';
import { type Check, type PublicKey, readJwkSet } from './public_key.js';
import { parseObject, type Remote, RemoteError } from './remote.js';

export interface KeySet {
  readonly keys: readonly PublicKey[];
  readonly fetched_at: number;
  readonly lifetime_seconds: number;
  /** Headers that came with a good signature: nearly every token has one of very few. */
  readonly headers: Map<string, KnownHeader>;
}

export interface KnownHeader {
  readonly typ: string;
  readonly key: PublicKey;
  readonly check: Check;
}

export interface KeySourceOptions {
  readonly remote: Remote;
  readonly metadata: (now: number) => Promise<Metadata>;
  /** Seconds that a JWK Set is used after it was fetched, when it cannot be fetched again. */
  readonly keys_max_staleness_seconds: number;
  /** Is told why the keys could not be fetched. */
  readonly report: (fault: Error) => void;
}

export interface KeySource {
  /** The set that is there, if it may still be used; fetches it anew in the background where it is old. */
  current(now: number): KeySet | undefined;
  /** Fetches the set, unless that was tried a moment ago. Never throws: `fault` says what went wrong. */
  refresh(now: number): Promise<void>;
  /** Why the last attempt failed. */
  readonly fault: Error | undefined;
}

/** Seconds between two attempts to fetch the keys: an unknown `kid` costs the issuer no more than that. */
const again_seconds = 10;
/** The same while there are no keys at all, so that an application that started before its issuer recovers soon. */
const first_again_seconds = 1;
const largest = 1_048_576;

export function createKeySource(options: KeySourceOptions): KeySource {
  let set: KeySet | undefined;
  let tried_at = Number.NEGATIVE_INFINITY;
  let fault: Error | undefined;
  let running: Promise<void> | undefined;

  async function fetchSet(now: number): Promise<void> {
    try {
      const { jwks_uri } = await options.metadata(now);
      set = await fetchKeySet(options.remote, jwks_uri, set?.keys ?? [], now);
      fault = undefined;
    } catch (error) {
      fault = error instanceof Error ? error : new RemoteError(String(error));
      options.report(fault);
    } finally {
      running = undefined;
    }
  }

  function refresh(now: number): Promise<void> {
    if (running !== undefined) return running;
    if (now - tried_at < (set === undefined ? first_again_seconds : again_seconds)) return Promise.resolve();
    tried_at = now;
    running = fetchSet(now);
    return running;
  }

  return {
    current(now) {
      if (set === undefined) return undefined;
      const age = now - set.fetched_at;
      if (age >= set.lifetime_seconds) void refresh(now);
      return age < options.keys_max_staleness_seconds ? set : undefined;
    },
    refresh,
    get fault() {
      return fault;
    },
  };
}

/** Throws RemoteError. A key that stays is the same object, so that what was verified with it can tell whether it stayed. */
async function fetchKeySet(
  remote: Remote,
  jwks_uri: string,
  known: readonly PublicKey[],
  now: number,
): Promise<KeySet> {
  const accept = 'application/jwk-set+json, application/json';
  const { body, headers } = await remote.get({ url: jwks_uri, accept, max_bytes: largest });
  const read = readJwkSet(parseObject(body, jwks_uri));
  if (read === undefined || read.length === 0) throw new RemoteError(`${jwks_uri} holds no usable keys`);
  const keys = read.map((key) => known.find((one) => isSame(one, key)) ?? key);
  return { keys, fetched_at: now, lifetime_seconds: lifetimeOf(headers), headers: new Map() };
}

function isSame(a: PublicKey, b: PublicKey): boolean {
  return a.thumbprint === b.thumbprint && a.kid === b.kid && a.alg === b.alg;
}
