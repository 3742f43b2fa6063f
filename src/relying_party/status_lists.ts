/**
 * The status lists that tokens name, kept fresh in the background: fetched again at their `ttl`, by ETag, as long as tokens use them,
 * and at once when the push channel says so. IETF Token Status List §8.
 */
import { flip, type KnownList, knownStatus, newKnownList, take } from './known_list.js';
import { linkOf } from './link.js';
import { isOfOrigin } from './metadata.js';
import type { Remote } from './remote.js';
import { readStatusList, type StatusReference } from './status_list.js';

export interface StatusListsOptions {
  readonly issuer: string;
  readonly remote: Remote;
  /** The claims of a status list token that the issuer signed. */
  readonly open: (jws: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly now: () => number;
  /** Seconds since a list was last known to hold, after which it says nothing any more. */
  readonly max_staleness_seconds: number;
  /** Is told where the issuer tells revocations as they happen, by each list that says so. */
  readonly monitored: (endpoint: string) => void;
  /** Is told why a list could not be fetched. */
  readonly report: (fault: Error) => void;
}

/** `stale`: the list is too old to tell, or not there yet. */
export type Status = 'valid' | 'revoked' | 'out_of_range' | 'stale';

export interface StatusLists {
  /** Whether a list may be named by a token of this issuer. */
  accepts(uri: string): boolean;
  /** What is known now, without waiting. Fetches in the background what is about to become stale. */
  look(reference: StatusReference, now: number): Status;
  /** Fetches a list, unless that failed a moment ago. Never throws; `look` tells what came of it. */
  refresh(uri: string): Promise<void>;
  /** An event of the push channel; the issuer told it at this time, in milliseconds since 1970. */
  flip(reference: StatusReference, told_at: number): void;
  /** The push channel is there: once fetched anew, the lists are fresh while it goes on. */
  connected(): void;
  /** The push channel was heard at this time, in seconds. */
  heard(at: number): void;
  /** The push channel is gone: the lists are polled from now on. */
  disconnected(): void;
  /** Events may have been missed: everything is fetched anew. */
  reset(): void;
  close(): void;
}

const largest = 1_048_576;
const most_lists = 128;
/** Seconds without a token that names it, after which a list is let go. */
const idle_seconds = 600;
/** How often a list is fetched while the push channel is there: in case the server that answered lagged behind. */
const calm_seconds = 300;
/** The longest that a timer waits, in seconds: one of more than 2^31 milliseconds would not wait at all. */
const longest_wait = 86_400;
/** Where a list names no ttl. */
const usual_ttl_seconds = 300;
/** More events than this, and the list is fetched in their place. */
const most_flipped = 1000;

interface State {
  readonly options: StatusListsOptions;
  readonly lists: Map<string, KnownList>;
  /** The push channel: which connection it is, null while there is none, and when it was last heard. */
  readonly channel: { connection: number | null; count: number; heard_at: number };
  closed: boolean;
}

export function createStatusLists(options: StatusListsOptions): StatusLists {
  const channel = { connection: null, count: 0, heard_at: 0 };
  const state: State = { options, lists: new Map(), channel, closed: false };
  return {
    accepts: (uri) => state.lists.has(uri) || isOfOrigin(uri, options.issuer), // reading a URL takes as long as half a signature
    look: (reference, now) => look(state, reference, now),
    refresh(uri) {
      const list = listOf(state, uri);
      list.used_at = options.now();
      return refresh(state, list);
    },
    flip({ uri, idx }, told_at) {
      if (!isOfOrigin(uri, options.issuer)) return;
      const list = listOf(state, uri);
      flip(list, idx, { told_at, heard_at: options.now() * 1000 });
      if (list.flipped.size > most_flipped) void refresh(state, list);
    },
    connected: () => connected(state),
    heard(at) {
      state.channel.heard_at = at;
    },
    disconnected: () => disconnected(state),
    reset: () => connected(state), // as after a new connection: nothing is fresh before it is fetched anew
    close() {
      state.closed = true;
      for (const { timer } of state.lists.values()) clearTimeout(timer);
    },
  };
}

function connected(state: State): void {
  state.channel.count += 1;
  state.channel.connection = state.channel.count;
  state.channel.heard_at = state.options.now();
  refreshAll(state);
}

function disconnected(state: State): void {
  if (state.channel.connection === null) return;
  for (const list of state.lists.values()) list.confirmed_at = confirmedAt(state, list);
  state.channel.connection = null;
  refreshAll(state);
}

function look(state: State, { uri, idx }: StatusReference, now: number): Status {
  const list = state.lists.get(uri);
  if (list === undefined) return 'stale';
  list.used_at = now;
  const status = knownStatus(list, idx);
  if (status !== undefined && status !== 0) return 'revoked';
  const age = now - confirmedAt(state, list);
  if (age >= intervalOf(state, list)) void refresh(state, list);
  if (isUnusable(list, now) || age >= state.options.max_staleness_seconds) return 'stale';
  return status === undefined ? 'out_of_range' : 'valid';
}

function isUnusable({ content }: KnownList, now: number): boolean {
  return content === undefined || (content.exp !== undefined && content.exp <= now);
}

/** Whether the push channel that a list was fetched under goes on. */
function isPushed({ channel }: State, list: KnownList): boolean {
  return channel.connection !== null && list.connection === channel.connection;
}

/** When the list was last known to hold: where it is pushed, it holds as long as the channel is heard. */
function confirmedAt(state: State, list: KnownList): number {
  return isPushed(state, list) ? Math.max(list.confirmed_at, state.channel.heard_at) : list.confirmed_at;
}

/** Seconds between two fetches. Half the staleness at most, so that one that fails is made good in time. */
function intervalOf(state: State, list: KnownList): number {
  const ttl = list.content?.ttl ?? usual_ttl_seconds;
  if (isPushed(state, list)) return Math.max(ttl, calm_seconds);
  return Math.max(1, Math.min(ttl, state.options.max_staleness_seconds / 2));
}

function listOf(state: State, uri: string): KnownList {
  const known = state.lists.get(uri);
  if (known !== undefined) return known;
  if (state.lists.size >= most_lists) drop(state, leastUsed(state));
  const list = newKnownList(uri);
  state.lists.set(uri, list);
  schedule(state, list, idle_seconds);
  return list;
}

function leastUsed({ lists }: State): KnownList | undefined {
  return [...lists.values()].sort((a, b) => a.used_at - b.used_at)[0];
}

function drop({ lists }: State, list: KnownList | undefined): void {
  if (list === undefined) return;
  clearTimeout(list.timer);
  lists.delete(list.uri);
}

/** One fetch at a time for each list. */
function refresh(state: State, list: KnownList): Promise<void> {
  if (list.fetching !== undefined) return list.fetching;
  const now = state.options.now();
  if (state.closed || now - list.failed_at < 1) return Promise.resolve();
  list.fetching = fetchList(state, list, now)
    .then(() => {
      list.failures = 0;
    })
    .catch((error: Error) => {
      list.failures += 1;
      list.failed_at = state.options.now();
      if (!state.closed) state.options.report(error);
    })
    .finally(() => {
      list.fetching = undefined;
      schedule(state, list, nextFetch(state, list));
    });
  return list.fetching;
}

async function fetchList(state: State, list: KnownList, now: number): Promise<void> {
  const { remote, open } = state.options;
  const { connection } = state.channel;
  const etag = isUnusable(list, now) ? undefined : list.etag;
  const accept = 'application/statuslist+jwt';
  const { body, headers, not_modified } = await remote.get({
    url: list.uri,
    accept,
    max_bytes: largest,
    etag,
  });
  if (!not_modified) {
    take(list, readStatusList(await open(body.toString('latin1')), list.uri, now), now * 1000);
    list.etag = headers.get('etag') ?? undefined;
  }
  list.confirmed_at = now;
  list.connection = connection;
  const endpoint = linkOf(headers, 'monitor', list.uri);
  // Our credentials go there: to the issuer itself and nowhere else.
  if (endpoint !== undefined && isOfOrigin(endpoint, state.options.issuer)) state.options.monitored(endpoint);
}

/** Whatever is being fetched was asked for too early: it is awaited, and asked for again. */
function refreshAll(state: State): void {
  for (const list of state.lists.values()) {
    if (list.content === undefined && list.fetching === undefined) continue; // known by events alone
    list.failed_at = Number.NEGATIVE_INFINITY;
    if (list.fetching === undefined) void refresh(state, list);
    else void list.fetching.then(() => refresh(state, list));
  }
}

/** Seconds until the list is to be fetched again: soon where that failed, and before it expires. */
function nextFetch(state: State, list: KnownList): number {
  const interval = intervalOf(state, list);
  const wanted = list.failures > 0 ? Math.min(interval, 2 ** Math.min(list.failures - 1, 10)) : interval;
  const { exp } = list.content ?? {};
  return exp === undefined ? wanted : Math.max(1, Math.min(wanted, exp - state.options.now()));
}

function schedule(state: State, list: KnownList, seconds: number): void {
  clearTimeout(list.timer);
  if (state.closed || state.lists.get(list.uri) !== list) return;
  list.timer = setTimeout(() => {
    if (state.options.now() - list.used_at >= idle_seconds) drop(state, list);
    else void refresh(state, list);
  }, Math.min(seconds, longest_wait) * 1000).unref();
}
