/** The janitor: deletes what expired, 500 rows of a table at a time, so that nobody waits for it. */
import { setTimeout as wait } from 'node:timers/promises';
import { removeUnusedClients } from '../actions/client_registration.js';
import { endExpiredSessions } from '../actions/sessions.js';
import { batch, deleteExpired } from '../store/expired.js';
import { removeUnusedLists } from '../tokens/status_indices.js';
import type { Job } from './job.js';

const pause_ms = 50;
const most_rounds = 200;

export const cleanup: Job = {
  name: 'cleanup',
  every_seconds: 60,

  async run(deps, now, stopping) {
    let total = 0;
    for (let round = 0; round < most_rounds; round += 1) {
      const ended = await endExpiredSessions(deps, now); // first: what hangs on them tells who was in them
      const { deleted, more } = await deleteExpired(deps.db, now);
      total += ended + deleted;
      if ((!more && ended < batch) || stopping.aborted) break;
      await wait(pause_ms);
    }
    total += await removeUnusedClients(deps, now);
    total += await removeUnusedLists(deps.db, now);
    if (total > 0) deps.log.debug({ deleted: total }, 'expired rows deleted');
  },
};
