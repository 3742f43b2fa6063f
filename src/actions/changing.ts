/** Changes of what processes keep in memory: clients, keys, resources. */
import type { Deps } from '../deps.js';
import * as cacheVersions from '../store/cache_versions.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';

type Change = (
  deps: Pick<Deps, 'caches' | 'config' | 'db'>,
  event: events.Event,
  now: number,
  work: (trx: Trx) => Promise<void> | Promise<boolean>,
) => Promise<boolean>;

/**
 * Gives what runs `work` and records its event, in one transaction. Every process knows of it within a second, this one at once. Where
 * `work` gives false there was nothing to change: nothing is recorded, and that is what comes of it.
 */
export function changing(cached: cacheVersions.Cached): Change {
  return async (deps, event, now, work) => {
    const changed = await deps.db.transaction(async (trx) => {
      if ((await work(trx)) === false) return false;
      await cacheVersions.bump(trx, cached);
      await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
      return true;
    });
    deps.caches.expire();
    return changed;
  };
}
