/**
 * Runs every job at its interval, on one of all processes, and the sender of the outbox on each. A job never runs twice at once in a
 * process; where a run takes longer than its interval another process may begin the next, which each job bears.
 */
import type { Deps } from '../deps.js';
import * as leases from '../store/leases.js';
import * as jobs from './index.js';
import type { Job } from './job.js';
import { startSender } from './outbox.js';

export interface Scheduler {
  /** Starts no more runs, tells those that are under way to end early, and waits for them and for what is being sent. */
  stop(): Promise<void>;
}

export function startJobs(deps: Deps): Scheduler {
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const sender = startSender(deps);
  const timers = Object.values(jobs).map((job) => {
    const run = () => {
      if (running.has(job.name)) return; // it takes longer than its interval
      const ended = runLeased(deps, job, stopping.signal).finally(() => running.delete(job.name));
      running.set(job.name, ended);
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
      await Promise.all([...running.values(), sender.stop()]);
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
