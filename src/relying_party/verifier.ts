/**
 * Verifies access tokens without asking anybody, and still refuses one that was revoked a moment ago. RFC 9068 §4; RFC 8725;
 * IETF Token Status List.
 */
import { hash } from 'node:crypto';
import {
  checkRequirements,
  type Expected,
  type Requirements,
  readClaims,
  type VerifiedToken,
} from './claims.js';
import { TokenError } from './errors.js';
import { createIssuerKeys, type IssuerKeys, type OpenedJws } from './issuer_keys.js';
import { createKeySource } from './key_source.js';
import { checkIssuer, createMetadataSource } from './metadata.js';
import { type Algorithm, algorithms, type PublicKey } from './public_key.js';
import { quietly } from './quietly.js';
import { createRecentMap, type RecentMap } from './recent_map.js';
import { createRemote, type Fetch } from './remote.js';
import { type Credentials, createRevocationEvents } from './revocation_events.js';
import { type StatusReference, statusReference } from './status_list.js';
import { createStatusLists, type Status, type StatusLists } from './status_lists.js';

export interface VerifierOptions {
  /** Who must have issued a token: its `iss`, letter for letter. https, or http on a loopback host. */
  readonly issuer: string;
  /** Whom a token must be for: its `aud`. With several, one of them is enough. */
  readonly audience: string | readonly string[];
  /** What tokens may be signed with. Default: RS256. Status lists and events may be signed with whatever the issuer has a key for. */
  readonly algorithms?: readonly Algorithm[];
  /** How far the issuer's clock may be from ours. Default: 5. */
  readonly clock_tolerance_seconds?: number;
  /** What this API is registered with: opens the push channel, where the issuer has one. */
  readonly credentials?: Credentials;
  /** How old a status list may become before tokens with a status are refused. Default: 60. */
  readonly max_staleness_seconds?: number;
  /** What happens to tokens whose status list is older than that: refused with 503 (default), or accepted unseen. */
  readonly stale?: 'refuse' | 'accept';
  /** How old the issuer's keys may become while they cannot be fetched again. Default: 86,400. */
  readonly keys_max_staleness_seconds?: number;
  /** How many verified tokens are remembered. Default: 10,000. */
  readonly cache_size?: number;
  /** Is told what goes wrong behind the scenes: keys, lists and events that could not be had. */
  readonly report?: (fault: Error) => void;
  /** In place of the global fetch: for a proxy, or certificates of your own. */
  readonly fetch?: Fetch;
  /** Whole seconds since 1970, in place of the system's clock. */
  readonly now?: () => number;
}

export interface Verifier {
  /**
   * What a token says, if it is valid here, was not revoked and meets the requirements. Throws TokenError, never anything else.
   */
  verify(token: string, requirements?: Requirements): Promise<VerifiedToken>;
  /** Ends the push channel and all that runs in the background, so that the process can exit. */
  close(): void;
}

/** A token whose signature and claims were good. */
interface Seen {
  readonly token: VerifiedToken;
  readonly key: PublicKey;
  readonly status: StatusReference | null;
}

interface Parts {
  readonly expected: Expected;
  readonly keys: IssuerKeys;
  readonly lists: StatusLists;
  readonly seen: RecentMap<Seen>;
  readonly now: () => number;
  readonly accept_stale: boolean;
}

/** Characters. Nothing that is longer is looked at. */
const longest_token = 16_384;
/** Characters of a status list token: 2^20 entries of which many are revoked. */
const longest_list = 1_048_576;

/** Throws TypeError for options that cannot be meant. Nothing is fetched before the first token. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, max_staleness_seconds = 60 } = options;
  const audience = typeof options.audience === 'string' ? [options.audience] : options.audience;
  const allowed = options.algorithms ?? ['RS256'];
  checkOptions(issuer, audience, allowed);
  checkNumbers(options);
  const report = quietly(options.report);

  const now = options.now ?? (() => Math.floor(Date.now() / 1000));
  const fetch: Fetch = options.fetch ?? globalThis.fetch;
  const remote = createRemote(fetch);
  const source = createKeySource({
    ...{ remote, report, metadata: createMetadataSource(remote, issuer) },
    keys_max_staleness_seconds: options.keys_max_staleness_seconds ?? 86_400,
  });
  const keys = createIssuerKeys(source, allowed, now);
  const any_keys = createIssuerKeys(source, algorithms, now); // what the issuer says itself may be signed otherwise than its tokens
  const open = (typ: string) => async (jws: string) => (await any_keys.open(jws, typ, longest_list)).claims;
  const lists = createStatusLists({
    ...{ issuer, remote, now, max_staleness_seconds, report, open: open('statuslist+jwt') },
    monitored: (endpoint) => events?.start(endpoint),
  });
  const events =
    options.credentials &&
    createRevocationEvents({
      ...{ issuer, fetch, lists, now, report, credentials: options.credentials, open: open('secevent+jwt') },
      dead_after_seconds: Math.max(20, Math.min(45, max_staleness_seconds)), // a heartbeat comes every 15 s
    });

  const parts: Parts = {
    expected: { issuer, audience, clock_tolerance_seconds: options.clock_tolerance_seconds ?? 5 },
    ...{ keys, lists, now, seen: createRecentMap(options.cache_size ?? 10_000) },
    accept_stale: options.stale === 'accept',
  };
  return {
    verify: (token, requirements) => verify(parts, token, requirements),
    close() {
      events?.close();
      lists.close();
      remote.close();
    },
  };
}

function checkOptions(issuer: string, audience: readonly string[], allowed: readonly Algorithm[]): void {
  checkIssuer(issuer);
  if (audience.length === 0 || audience.includes('')) throw new TypeError('audience must name this API');
  const unknown = allowed.find((alg) => !algorithms.includes(alg));
  if (unknown !== undefined) throw new TypeError(`algorithms: ${unknown} is none of ${algorithms.join(' ')}`);
}

const finite = (value: number) => Number.isFinite(value) && value >= 0;
/** `Infinity` for whoever wants no end. */
const endless = (value: number) => value >= 0;
const numbers = {
  clock_tolerance_seconds: finite,
  max_staleness_seconds: endless,
  keys_max_staleness_seconds: endless,
  cache_size: (value: number) => Number.isInteger(value) && value > 0,
} as const;

/** NaN, which `Number()` makes of a setting that is not there, would be neither above nor below any limit. */
function checkNumbers(options: VerifierOptions): void {
  for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
    const value = options[name];
    if (value !== undefined && !(typeof value === 'number' && numbers[name](value)))
      throw new TypeError(`${name} cannot be ${value}`);
  }
}

/** Waits for nothing where the token was seen before and its status is known: that is the path that has to be quick. */
async function verify(
  parts: Parts,
  text: string,
  requirements: Requirements | undefined,
): Promise<VerifiedToken> {
  if (typeof text !== 'string' || text.length > longest_token)
    throw new TokenError('malformed', `the token is longer than ${longest_token} characters`);
  const digest = hash('sha256', text, 'binary'); // the shortest key: and no token is kept
  let now = parts.now();
  let seen = recall(parts, digest, now);
  if (seen === undefined) {
    const opened = parts.keys.open(text, 'at+jwt', longest_token);
    seen = readToken(parts, opened instanceof Promise ? await opened : opened);
    parts.seen.set(digest, seen);
    now = parts.now();
  }
  if (seen.status !== null) {
    const found = parts.lists.look(seen.status, now);
    if (found !== 'valid') await checkStatus(parts, seen.status, found);
  }
  if (requirements !== undefined) checkRequirements(seen.token, requirements, now);
  return seen.token;
}

/** A token that was verified before; undefined where it has to be verified again, since its key is no longer the issuer's. */
function recall({ seen, expected, keys }: Parts, digest: string, now: number): Seen | undefined {
  const known = seen.get(digest);
  if (known === undefined || !keys.holds(known.key, now)) return undefined;
  if (known.token.exp <= now - expected.clock_tolerance_seconds)
    throw new TokenError('expired', 'the token has expired');
  return known;
}

function readToken({ expected, lists, now }: Parts, { claims, key }: OpenedJws): Seen {
  const token = readClaims(claims, expected, now());
  const status = statusReference(claims);
  if (status !== null && !lists.accepts(status.uri))
    throw new TokenError('status_uri', 'the status list is not one of the issuer');
  return { token, key, status };
}

/** Fetches the list where it cannot tell. Throws TokenError `revoked`, `status_index` or `status_unavailable`. */
async function checkStatus(
  { lists, now, accept_stale }: Parts,
  reference: StatusReference,
  first: Status,
): Promise<void> {
  let found = first;
  if (found === 'stale') {
    await lists.refresh(reference.uri);
    found = lists.look(reference, now());
  }
  if (found === 'revoked') throw new TokenError('revoked', 'the token was revoked');
  if (found === 'out_of_range') throw new TokenError('status_index', 'the status list has no such index');
  if (found === 'stale' && !accept_stale)
    throw new TokenError('status_unavailable', 'whether the token was revoked cannot be told now');
}
