/** Runs every job at its interval, on one process at a time, and the sender of the outbox on each. */
import type { Deps } from '../deps.js';
import * as leases from '../store/leases.js';
import * as jobs from './index.js';
import type { Job } from './job.js';
import { startSender } from './outbox.js';

export interface Scheduler {
  /** Starts no more runs, tells the one that is under way to end early, and waits for it and for what is being sent. */
  stop(): Promise<void>;
}

export function startJobs(deps: Deps): Scheduler {
  let running: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  const sender = startSender(deps);
  const timers = Object.values(jobs).map((job) => {
    const run = () => {
      running = running.then(() => runLeased(deps, job, stopping.signal));
    };
    if (job.at_start) run();
    const timer = setInterval(run, job.every_seconds * 1000);
    timer.unref();
    return timer;
  });
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      stopping.abort();
      await Promise.all([running, sender.stop()]);
    },
  };
}

/** Runs a job if no other process has run it in its interval. A failure is logged and tried again next time. */
export async function runLeased(deps: Deps, job: Job, stopping: AbortSignal): Promise<void> {
  const now = deps.clock();
  try {
    const mine = await deps.db.transaction((trx) =>
      leases.take(trx, job.name, now, now + job.every_seconds - 1),
    );
    if (mine && !stopping.aborted) await job.run(deps, now, stopping);
  } catch (err) {
    deps.log.error({ err, job: job.name }, 'a job failed');
  }
}
