/** Indices of status lists for new authorizations, taken from the database in blocks, so that one costs no write. */
import { newId } from '../secrets.js';
import type { Db } from '../store/db.js';
import * as statusLists from '../store/status_lists.js';

export interface StatusIndices {
  /** An index that nobody has had. */
  reserve(now: number): Promise<statusLists.StatusIndex>;
  /** Takes back one that was not used: no token names it. */
  giveBack(index: statusLists.StatusIndex): void;
}

/** Indices of one block. What a process has not used of its block when it ends is lost: a list has 4,096 blocks. */
const block_size = 256;

/** A block is used for ten minutes at most. A list may be deleted when nobody has taken a block out of it for an hour. */
const block_seconds = 600;
const unused_seconds = 3600;

export function createStatusIndices(db: Db): StatusIndices {
  let free: statusLists.StatusIndex[] = [];
  let taken_at = 0;
  let taking: Promise<void> | undefined;

  async function take(now: number): Promise<void> {
    const { status_list, first } = await statusLists.reserve(db, block_size, newId().slice(0, 8), now);
    free = Array.from({ length: block_size }, (_, i) => ({ status_list, status_index: first + i })).reverse();
    taken_at = now;
  }

  return {
    async reserve(now) {
      for (;;) {
        if (now - taken_at >= block_seconds) free = [];
        const index = free.pop();
        if (index !== undefined) return index;
        taking ??= take(now).finally(() => {
          taking = undefined;
        });
        await taking;
      }
    },
    giveBack(index) {
      free.push(index);
    },
  };
}

/** Deletes the lists that are full and that no token names any more. */
export function removeUnusedLists(db: Db, now: number): Promise<number> {
  return statusLists.removeUnused(db, block_size, now - unused_seconds);
}
