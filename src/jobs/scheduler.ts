/** Runs every job at its interval, on one process at a time. */
import type { Deps } from '../deps.js';
import * as leases from '../store/leases.js';
import * as jobs from './index.js';
import type { Job } from './job.js';

export interface Scheduler {
  /** Starts no more runs, and waits for the one that is under way. */
  stop(): Promise<void>;
}

export function startJobs(deps: Deps): Scheduler {
  let running: Promise<void> = Promise.resolve();
  const timers = Object.values(jobs).map((job) => {
    const timer = setInterval(() => {
      running = running.then(() => runLeased(deps, job));
    }, job.every_seconds * 1000);
    timer.unref();
    return timer;
  });
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await running;
    },
  };
}

/** Runs a job if no other process has run it in its interval. A failure is logged and tried again next time. */
export async function runLeased(deps: Deps, job: Job): Promise<void> {
  const now = deps.clock();
  try {
    const mine = await deps.db.transaction((trx) =>
      leases.take(trx, job.name, now, now + job.every_seconds - 1),
    );
    if (mine) await job.run(deps, now);
  } catch (err) {
    deps.log.error({ err, job: job.name }, 'a job failed');
  }
}
