/** One status list as this process knows it: what was fetched, and what was told about it since. */
import { type StatusList, statusAt } from './status_list.js';

/** Both in milliseconds since 1970. */
interface Flip {
  /** By the issuer's clock. */
  readonly told_at: number;
  /** By ours. */
  readonly heard_at: number;
}

export interface KnownList {
  readonly uri: string;
  content: StatusList | undefined;
  etag: string | undefined;
  /** When the last fetch that succeeded was begun: what it answered held at that time, seconds since 1970. */
  confirmed_at: number;
  /** Which connection of the push channel was there when it was begun; null for none. */
  connection: number | null;
  /** When a token last named it. */
  used_at: number;
  /** Revoked by an event: the index, and when. Stays until a later list says otherwise. */
  readonly flipped: Map<number, Flip>;
  fetching: Promise<void> | undefined;
  /** Fetches in a row that failed, and when the last one did. */
  failures: number;
  failed_at: number;
  timer: NodeJS.Timeout | undefined;
}

export function newKnownList(uri: string): KnownList {
  const never = Number.NEGATIVE_INFINITY;
  return {
    ...{ uri, content: undefined, etag: undefined, connection: null, fetching: undefined, timer: undefined },
    ...{ confirmed_at: never, used_at: never, failed_at: never, failures: 0, flipped: new Map() },
  };
}

/** The status at an index as far as is known; undefined where the list ends before it. */
export function knownStatus(list: KnownList, idx: number): number | undefined {
  if (list.flipped.size > 0 && list.flipped.has(idx)) return 1;
  return list.content === undefined ? 0 : statusAt(list.content, idx);
}

/**
 * Takes a list that was fetched by a request of this time, in milliseconds. One that is older than what is known comes from a server
 * process that lags behind: nothing that was revoked becomes valid by it.
 */
export function take(list: KnownList, content: StatusList, asked_at: number): void {
  const known = list.content;
  const lags = known !== undefined && content.iat < known.iat;
  if (lags && known.bits === content.bits)
    content.bytes.forEach((byte, at) => {
      content.bytes[at] = byte | (known.bytes[at] ?? 0);
    });
  list.content = lags ? { ...content, iat: known.iat } : content;
  for (const [idx, { told_at, heard_at }] of list.flipped)
    if (content.iat * 1000 >= told_at + lag_ms && asked_at >= heard_at + lag_ms) list.flipped.delete(idx);
}

/** A server process may make a list this much later than an event and not know of it yet. */
const lag_ms = 2000;

/**
 * Takes an event: this index was revoked. It counts even where the list that is there was made after it: the revocation may have been
 * written later than its time says.
 */
export function flip(list: KnownList, idx: number, when: Flip): void {
  if (list.content === undefined || statusAt(list.content, idx) === 0) list.flipped.set(idx, when);
}
