/** Removes the accounts that their owners asked to delete, when the time of grace is over. */
import { removeDueAccounts } from '../actions/deletion.js';
import type { Job } from './job.js';

export const deleteAccounts: Job = {
  name: 'delete_accounts',
  every_seconds: 600,

  async run(deps, now, stopping) {
    let total = 0;
    let removed: number;
    do {
      removed = await removeDueAccounts(deps, now);
      total += removed;
    } while (removed > 0 && !stopping.aborted);
    if (total > 0) deps.log.info({ event: 'accounts_deleted', accounts: total }, 'accounts were deleted');
  },
};
