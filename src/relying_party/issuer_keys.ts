/** Opens what the issuer signed: the header names a key of its JWK Set, never an algorithm. RFC 7515 §4.1.4; RFC 8725 §3. */
import { TokenError } from './errors.js';
import { type Jws, type JwsHeader, openJws, parseHeader, splitJws } from './jws.js';
import type { KeySet, KeySource, KnownHeader } from './key_source.js';
import { type Algorithm, checkWith, fits, type PublicKey } from './public_key.js';

export interface OpenedJws {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly key: PublicKey;
}

export interface IssuerKeys {
  /**
   * The claims of a compact JWS of this type that the issuer signed; `longest` is in characters. Throws, or rejects with, TokenError
   * saying why it is none, or `keys_unavailable` where that cannot be told. A promise only where keys have to be found first.
   */
  open(jws: string, typ: string, longest: number): OpenedJws | Promise<OpenedJws>;
  /** Whether a key still is one of the issuer's, as far as we know. */
  holds(key: PublicKey, now: number): boolean;
}

const most_headers = 100;

export function createIssuerKeys(
  source: KeySource,
  allowed: readonly Algorithm[],
  clock: () => number,
): IssuerKeys {
  /** Fetches the set where the key is not in it, or where it is too old to go on without asking. */
  async function find(part: string, typ: string): Promise<KnownHeader> {
    const header = parseHeader(part, allowed);
    if (header.typ !== typ) throw new TokenError('type', `the token is not of type ${typ}`);
    const now = clock();
    if (isOverdue(source.current(now), now)) await source.refresh(now);
    let key = choose(source.current(now), header);
    if (key === undefined) {
      await source.refresh(now);
      key = choose(source.current(now), header);
    }
    if (key !== undefined) return { typ, key, check: checkWith(key, header.alg) };
    const cause = source.fault;
    if (source.current(now) === undefined || cause !== undefined)
      throw new TokenError('keys_unavailable', 'the keys of the issuer cannot be had now', { cause });
    throw new TokenError('unknown_key', 'the issuer has no such key');
  }

  async function openUnknown(jws: Jws, typ: string): Promise<OpenedJws> {
    const found = await find(jws.header, typ);
    const claims = openJws(jws, found.check);
    const headers = source.current(clock())?.headers;
    if (headers !== undefined && headers.size < most_headers) headers.set(jws.header, found);
    return { claims, key: found.key };
  }

  return {
    open(text, typ, longest) {
      const jws = splitJws(text, longest);
      const now = clock();
      const set = source.current(now);
      const known = isOverdue(set, now) ? undefined : set?.headers.get(jws.header);
      if (known?.typ !== typ) return openUnknown(jws, typ);
      return { claims: openJws(jws, known.check), key: known.key };
    },
    holds: (key, now) => source.current(now)?.keys.includes(key) === true,
  };
}

/** Twice as old as it may become: nobody asked for long, or the issuer is down. */
function isOverdue(set: KeySet | undefined, now: number): boolean {
  return set !== undefined && now - set.fetched_at >= 2 * set.lifetime_seconds;
}

/** By `kid`; a token without one can only mean the one key that fits (OpenID Connect Core §10.1). */
function choose(set: KeySet | undefined, { kid, alg }: JwsHeader): PublicKey | undefined {
  const fitting = set?.keys.filter((key) => fits(key, alg) && (kid === undefined || key.kid === kid)) ?? [];
  return kid !== undefined || fitting.length === 1 ? fitting[0] : undefined;
}
