import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as jobs from '../../src/jobs/index.js';
import type { Job } from '../../src/jobs/job.js';
import { runLeased, startJobs } from '../../src/jobs/scheduler.js';
import * as leases from '../../src/store/leases.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

const never = new AbortController().signal;

function countingJob(): Job & { readonly runs: number[] } {
  const runs: number[] = [];
  return {
    name: 'count',
    every_seconds: 60,
    runs,
    async run(_, now) {
      runs.push(now);
    },
  };
}

describe.each(engines)('a job on %s', (engine) => {
  test('is run by one of two processes, once in its interval', async () => {
    const idp = await startIdp({ engine });
    const other = await anotherProcess(idp);
    const job = countingJob();
    const began = idp.now();
    for (const seconds of [0, 58, 1, 1, 58]) {
      idp.advance(seconds);
      await Promise.all([idp.deps, other, idp.deps, other].map((deps) => runLeased(deps, job, never)));
    }
    expect(job.runs).toEqual([began, began + 59, began + 118]);
  });

  test('is left to nobody else while its lease lasts, and to anybody afterwards', async () => {
    const { db } = await startIdp({ engine });
    const take = (now: number, until: number) => db.transaction((trx) => leases.take(trx, 'job', now, until));
    expect([await take(100, 160), await take(159, 220), await take(160, 220), await take(160, 220)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test('has its own lease', async () => {
    const { db } = await startIdp({ engine });
    const take = (name: string) => db.transaction((trx) => leases.take(trx, name, 100, 160));
    expect([await take('one'), await take('other'), await take('one')]).toEqual([true, true, false]);
  });
});

test('a job that fails is logged, fails nobody else, and is tried again after its interval', async () => {
  const idp = await startIdp();
  const job: Job = { ...countingJob(), run: () => Promise.reject(new Error('the disk is full')) };
  await runLeased(idp.deps, job, never);
  expect(idp.logged).toMatchObject([
    {
      level: 'error',
      message: 'a job failed',
      fields: { job: 'count', err: { message: 'the disk is full' } },
    },
  ]);
  await runLeased(idp.deps, job, never);
  expect(idp.logged).toHaveLength(1);
  idp.advance(60);
  await runLeased(idp.deps, job, never);
  expect(idp.logged).toHaveLength(2);
});

describe('the scheduler', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Puts another run in the place of every job's own. The promise resolves when each was called. */
  function replaceRuns(run: Job['run'] = () => Promise.resolve()): Promise<unknown> {
    const called = Object.values(jobs).map(
      (job) =>
        new Promise<void>((resolve) => {
          vi.spyOn(job, 'run').mockImplementation((...args) => {
            resolve();
            return run(...args);
          });
        }),
    );
    return Promise.all(called);
  }

  const longest = Math.max(...Object.values(jobs).map((job) => job.every_seconds));

  test('runs every job at its interval, and none after it was stopped', async () => {
    const idp = await startIdp();
    const called = replaceRuns();
    const scheduler = startJobs(idp.deps);
    vi.advanceTimersByTime(longest * 1000);
    await called;
    await scheduler.stop();

    idp.advance(longest);
    vi.clearAllMocks();
    vi.advanceTimersByTime(longest * 1000);
    for (const job of Object.values(jobs)) expect(job.run).not.toHaveBeenCalled();
  });

  test('that is stopped tells the jobs that are under way, of which none runs twice at once, and waits for them', async () => {
    const idp = await startIdp();
    const ended: string[] = [];
    const begun = replaceRuns(
      (_deps, _now, stopping) =>
        new Promise((done) => {
          stopping.addEventListener('abort', () => setImmediate(() => done(void ended.push('early'))));
        }),
    );
    const scheduler = startJobs(idp.deps);
    vi.advanceTimersByTime(longest * 1000);
    await begun;
    idp.advance(longest);
    vi.advanceTimersByTime(longest * 1000);
    expect(ended).toEqual([]);
    await scheduler.stop();
    for (const job of Object.values(jobs)) expect(job.run).toHaveBeenCalledOnce();
    expect(ended).toEqual(Object.keys(jobs).map(() => 'early'));
  });
});
