/**
 * The status lists of a running server: kept in memory, brought up to date from the table of revocations, signed when they changed.
 * Who listens is told of each revocation within a quarter of a second, whichever process made it (decisions 27).
 */
import type { Config } from '../config.js';
import type { Keys } from '../keys/keys.js';
import type { Db } from '../store/db.js';
import * as statusLists from '../store/status_lists.js';
import * as statusRevocations from '../store/status_revocations.js';
import { statusListUri } from './status.js';
import { StatusBits, type StatusListToken, signStatusList, statusListLifetime } from './status_list_token.js';

export type Revocation = statusRevocations.StatusRevocationRow;

/** Is told of revocations that were just seen; some of them perhaps again. */
type Listener = (revocations: readonly Revocation[]) => void;

export interface StatusLists {
  /** A list as a signed token, as it was a quarter of a second ago at most. Undefined if there is no such list. */
  published(status_list: string, now: number): Promise<StatusListToken | undefined>;
  /** The addresses of all lists. */
  uris(): Promise<string[]>;
  /** Tells `listener` of revocations until the function it gives is called. */
  listen(listener: Listener): () => void;
  /** Resolves when all that was committed until now has been told. Rejects where the table cannot be read. */
  current(): Promise<void>;
  /** The revocations since a time, those of the last seconds before it too. */
  since(time: number): Promise<Revocation[]>;
  close(): void;
}

interface StatusListDeps {
  readonly db: Db;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly config: Pick<Config, 'ISSUER' | 'STATUS_LIST_TTL_SECONDS' | 'ACCESS_TOKEN_SECONDS'>;
}

const poll_ms = 150;

/** Clocks of processes differ, and a transaction takes time: what is this old is read again each time. */
const overlap_seconds = 10;

/** A list is read anew this often, so that bits whose tokens have all expired disappear. */
const reload_seconds = 600;

interface KeptList {
  readonly bits: StatusBits;
  readonly loaded_at: number;
  readonly loaded: Promise<void>;
  changed: boolean;
  token: Promise<StatusListToken> | undefined;
}

export function createStatusLists(deps: StatusListDeps): StatusLists {
  const { db, keys, clock, config } = deps;
  const kept = new Map<string, KeptList>();
  const listeners = new Set<Listener>();
  const feed = createFeed(db, clock, (fresh) => {
    for (const { status_list, status_index } of fresh) {
      const list = kept.get(status_list);
      if (list?.bits.set(status_index)) list.changed = true;
    }
    for (const listener of listeners) listener(fresh);
  });
  let timer: NodeJS.Timeout | undefined;

  async function find(status_list: string, now: number): Promise<KeptList | undefined> {
    const known = kept.get(status_list);
    if (known !== undefined && now - known.loaded_at < reload_seconds) return known;
    if (!(await statusLists.list(db)).includes(status_list)) {
      kept.delete(status_list);
      return undefined;
    }
    const bits = new StatusBits();
    // It is in the map while it is read, so that no revocation is seen by the feed alone.
    const list = {
      bits,
      loaded_at: now,
      loaded: load(db, status_list, bits),
      changed: true,
      token: undefined,
    };
    list.loaded.catch(() => kept.delete(status_list)); // told to whoever waits for it
    kept.set(status_list, list);
    return list;
  }

  async function sign(status_list: string, list: KeptList, now: number): Promise<StatusListToken> {
    const times = { ttl: config.STATUS_LIST_TTL_SECONDS, lifetime: statusListLifetime(config) };
    return signStatusList(await keys.get(), statusListUri(config.ISSUER, status_list), list.bits, times, now);
  }

  return {
    async published(status_list, now) {
      const list = await find(status_list, now);
      if (list === undefined) return undefined;
      await Promise.all([list.loaded, feed.poll(poll_ms)]);
      const token = await list.token;
      if (token !== undefined && !list.changed && now < token.renew_at) return token;
      list.changed = false;
      const signing = sign(status_list, list, now);
      list.token = signing;
      signing.catch(() => {
        list.token = undefined; // told to whoever waits for it
      });
      return signing;
    },
    uris: async () => (await statusLists.list(db)).map((id) => statusListUri(config.ISSUER, id)),
    listen(listener) {
      listeners.add(listener);
      timer ??= setInterval(() => void feed.poll(0).catch(() => undefined), poll_ms).unref(); // tried again at once
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    current: () => feed.poll(0),
    since: (time) => readSince(db, time - overlap_seconds),
    close() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}

/** Sets the bits of all that is revoked in a list. */
async function load(db: Db, status_list: string, bits: StatusBits): Promise<void> {
  for (let after = -1; ; ) {
    const indices = await statusRevocations.listIndices(db, status_list, after);
    for (const index of indices) bits.set(index);
    const last = indices.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

async function readSince(db: Db, time: number): Promise<Revocation[]> {
  const all: Revocation[] = [];
  for (let at = { revoked_at: time, id: '' }; ; ) {
    const rows = await statusRevocations.listSince(db, at.revoked_at, at.id);
    all.push(...rows);
    const last = rows.at(-1);
    if (last === undefined) return all;
    at = last;
  }
}

/** Reads the revocations that were not seen before, one reading at a time. */
function createFeed(db: Db, clock: () => number, tell: Listener) {
  const seen = new Map<string, number>();
  let polled_at = -Infinity;
  /** Up to when everything was read: while nobody listens, polls are as far apart as applications ask for lists. */
  let read_until = Infinity;
  let polling: Promise<void> | undefined;

  async function read(): Promise<void> {
    const began_at = performance.now();
    const now = clock();
    const from = Math.min(now, read_until) - overlap_seconds;
    const fresh = (await readSince(db, from)).filter(({ id }) => !seen.has(id));
    for (const { id, revoked_at } of fresh) seen.set(id, revoked_at);
    for (const [id, revoked_at] of seen) if (revoked_at < from) seen.delete(id);
    polled_at = began_at;
    read_until = now;
    if (fresh.length > 0) tell(fresh);
  }

  return {
    /** What was committed `older_ms` ago has been told when this resolves. */
    async poll(older_ms: number): Promise<void> {
      const wanted = performance.now() - older_ms;
      while (polled_at < wanted) {
        polling ??= read().finally(() => {
          polling = undefined;
        });
        await polling;
      }
    },
  };
}
