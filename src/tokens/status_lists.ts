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
  /** The position up to which nothing new will come: whoever goes on from there misses nothing. */
  settled(): number;
  /** What came after a position, or after `settled()` as of now, a page at most. Undefined for a position that there never was. */
  since(position?: number): Promise<readonly Revocation[] | undefined>;
  close(): void;
}

interface StatusListDeps {
  readonly db: Db;
  readonly keys: Keys;
  readonly config: Pick<Config, 'ISSUER' | 'STATUS_LIST_TTL_SECONDS' | 'ACCESS_TOKEN_SECONDS'>;
}

const poll_ms = 150;

/** A transaction takes time: a row may appear this much later than others that were written after it. */
const overlap_ms = 10_000;

/** Rows before the last that a process which has just started takes for such. It reads its lists once more when that time is over. */
const first_look_back = 1000;

/** A reading that takes longer was kept waiting, and so was whoever was writing: that time does not count. */
const stall_ms = 1000;

/** A list is read anew this often, so that bits whose tokens have all expired disappear. */
const reload_seconds = 600;

interface KeptList {
  readonly bits: StatusBits;
  readonly loaded_at: number;
  /** Read while this process had just started: it is read once more. */
  early: boolean;
  loaded: Promise<void>;
  changed: boolean;
  token: Promise<StatusListToken> | undefined;
}

export function createStatusLists(deps: StatusListDeps): StatusLists {
  const { db, keys, config } = deps;
  const kept = new Map<string, KeptList>();
  const listeners = new Set<Listener>();
  const feed = createFeed(db, (fresh) => {
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
    // It is in the map while it is read, so that no revocation is seen by the feed alone.
    const list: KeptList = {
      bits: new StatusBits(),
      loaded_at: now,
      early: feed.isYoung(),
      loaded: Promise.resolve(),
      changed: true,
      token: undefined,
    };
    kept.set(status_list, list);
    load(status_list, list);
    return list;
  }

  function load(status_list: string, list: KeptList): void {
    list.loaded = readBits(db, status_list, list);
    list.loaded.catch(() => kept.delete(status_list)); // told to whoever waits for it
  }

  async function sign(status_list: string, list: KeptList, now: number): Promise<StatusListToken> {
    const times = { ttl: config.STATUS_LIST_TTL_SECONDS, lifetime: statusListLifetime(config) };
    return signStatusList(await keys.get(), statusListUri(config.ISSUER, status_list), list.bits, times, now);
  }

  return {
    async published(status_list, now) {
      const list = await find(status_list, now);
      if (list === undefined) return undefined;
      if (list.early && !feed.isYoung()) {
        list.early = false;
        load(status_list, list);
      }
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
    settled: feed.settled,
    async since(position) {
      await feed.poll(0);
      if (position !== undefined && position > feed.last()) return undefined;
      return statusRevocations.listAfter(db, position ?? feed.settled());
    },
    close() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}

/** Sets the bits of all that is revoked in a list. */
async function readBits(
  db: Db,
  status_list: string,
  list: Pick<KeptList, 'bits' | 'changed'>,
): Promise<void> {
  for (let after = -1; ; ) {
    const indices = await statusRevocations.listIndices(db, status_list, after);
    for (const index of indices) if (list.bits.set(index)) list.changed = true;
    const last = indices.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

async function readAfter(db: Db, position: number): Promise<Revocation[]> {
  const all: Revocation[] = [];
  for (let at = position; ; ) {
    const rows = await statusRevocations.listAfter(db, at);
    all.push(...rows);
    const last = rows.at(-1);
    if (last === undefined) return all;
    at = last.position;
  }
}

/**
 * Reads the revocations that were not seen before, one reading at a time. They are told apart by their positions and this process's
 * own sense of time: the clocks of the processes that wrote them do not count.
 */
function createFeed(db: Db, tell: Listener) {
  /** The positions of what was read and is not settled. */
  const seen = new Set<number>();
  /** The last position of a reading and when it had ended, from the oldest that is not settled. */
  const marks: { readonly at: number; readonly position: number }[] = [];
  let settled: number | undefined;
  let started_at: number | undefined;
  let stalled_ms = 0;
  let polled_at = -Infinity;
  let polling: Promise<void> | undefined;

  const last = () => marks.at(-1)?.position ?? settled ?? 0;
  const elapsed = () => performance.now() - stalled_ms;

  async function read(): Promise<void> {
    const began_at = performance.now();
    try {
      await readOnce(began_at);
    } finally {
      const took = performance.now() - began_at;
      if (took > stall_ms) stalled_ms += took;
    }
  }

  async function readOnce(began_at: number): Promise<void> {
    const began = elapsed();
    started_at ??= began;
    const from = settled ?? Math.max(0, (await statusRevocations.lastPosition(db)) - first_look_back);
    const rows = await readAfter(db, from);
    const fresh = rows.filter(({ position }) => !seen.has(position));
    for (const { position } of fresh) seen.add(position);
    const position = rows.at(-1)?.position ?? from;
    settled = settle(began) ?? from;
    if (position > last()) marks.push({ at: elapsed(), position });
    polled_at = began_at;
    if (fresh.length > 0) tell(fresh);
  }

  /** What was there long enough before a reading is settled by it. */
  function settle(read_at: number): number | undefined {
    const past = marks.findLastIndex(({ at }) => at <= read_at - overlap_ms);
    const position = marks.splice(0, past + 1).at(-1)?.position;
    if (position === undefined) return undefined;
    for (const one of seen) if (one <= position) seen.delete(one);
    return position;
  }

  return {
    settled: () => settled ?? 0,
    last,
    /** Whether this process has not read for long enough to know what it cannot have missed. */
    isYoung: () => started_at === undefined || elapsed() - started_at < overlap_ms,
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
