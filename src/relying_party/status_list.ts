/** One status list, decoded. IETF Token Status List §4 and §5. */
import { inflateSync } from 'node:zlib';
import { TokenError } from './errors.js';
import { membersOf } from './json.js';
import { RemoteError } from './remote.js';

/** What a token says of its own status: claim `status.status_list` (§6.1). */
export interface StatusReference {
  readonly uri: string;
  readonly idx: number;
}

export interface StatusList {
  readonly bits: number;
  readonly bytes: Uint8Array;
  /** When the issuer made it, and when it is no longer to be used; seconds since 1970. */
  readonly iat: number;
  readonly exp: number | undefined;
  /** Seconds after which the issuer asks to have it fetched again. */
  readonly ttl: number | undefined;
}

/** The most statuses in one list. */
const most_entries = 2 ** 20;

/**
 * Reads the claims of a status list token whose signature was checked. Throws RemoteError for one that is another list's, expired,
 * not readable, or larger than a list may be: it is never inflated beyond that.
 */
export function readStatusList(
  claims: Readonly<Record<string, unknown>>,
  uri: string,
  now: number,
): StatusList {
  const { sub, iat, exp, ttl, status_list } = claims;
  if (sub !== uri) throw new RemoteError(`${uri} answered another list`);
  if (typeof iat !== 'number' || (exp !== undefined && typeof exp !== 'number'))
    throw new RemoteError(`${uri} has no readable times`);
  if (exp !== undefined && exp <= now) throw new RemoteError(`${uri} has expired`);
  const { bits, lst } = membersOf(status_list);
  if ((bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) || typeof lst !== 'string')
    throw new RemoteError(`${uri} is no status list`);
  return {
    bits,
    bytes: inflate(lst, (most_entries * bits) / 8, uri),
    iat,
    exp,
    ttl: typeof ttl === 'number' && ttl > 0 ? ttl : undefined,
  };
}

function inflate(lst: string, maxOutputLength: number, uri: string): Uint8Array {
  try {
    return inflateSync(Buffer.from(lst, 'base64url'), { maxOutputLength });
  } catch (cause) {
    throw new RemoteError(`${uri} does not inflate to at most ${maxOutputLength} bytes`, { cause });
  }
}

/** The status at an index, least significant bits first (§4.1); 0 is valid. Undefined where the list ends before it. */
export function statusAt({ bits, bytes }: StatusList, idx: number): number | undefined {
  const byte = bytes[Math.floor((idx * bits) / 8)];
  return byte === undefined ? undefined : (byte >> ((idx * bits) % 8)) & ((1 << bits) - 1);
}

/** The reference in a token's claims: null where it has no status. Throws TokenError `claims` for one that cannot be read. */
export function statusReference({ status }: Readonly<Record<string, unknown>>): StatusReference | null {
  if (status === undefined) return null;
  const { idx, uri } = membersOf(membersOf(status).status_list);
  if (typeof uri === 'string' && isIndex(idx)) return { idx, uri };
  throw new TokenError('claims', 'status names no status list'); // some other mechanism, which we cannot ask
}

export function isIndex(idx: unknown): idx is number {
  return Number.isSafeInteger(idx) && Number(idx) >= 0;
}
