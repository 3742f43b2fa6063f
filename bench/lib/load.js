// @ts-check
/**
 * Load: workers that each do their work over and over (closed loop), and requests that go out at a fixed rate whether the ones
 * before were answered or not (open loop), so that a slow answer is not hidden by asking less often.
 * @import { Slice, Work } from './types.js'
 */
import { setTimeout as wait } from 'node:timers/promises';
import { cpuMs } from './proc.js';
import { createHistogram } from './stats.js';

/** A worker whose work failed waits a moment, so that errors do not crowd out what is measured. */
const after_error_ms = 20;

/**
 * All workers, for so many seconds. What is under way at the end is waited for but not counted.
 * @param {readonly Work[]} workers
 * @param {{ readonly seconds: number, readonly pid: number }} options `pid` is the server whose CPU is counted
 * @returns {Promise<Slice>}
 */
export async function closedLoop(workers, { seconds, pid }) {
  const histogram = createHistogram();
  const tally = createTally();
  let over = false;

  const loop = async (/** @type {Work} */ work) => {
    while (!over) {
      const begun = performance.now();
      const done = await tally.count(work, () => !over);
      if (!done) await wait(after_error_ms);
      else if (!over) histogram.add(performance.now() - begun);
    }
  };

  const cpu_before = cpuMs(pid);
  const started = performance.now();
  const loops = workers.map(loop);
  await wait(seconds * 1000);
  const elapsed = (performance.now() - started) / 1000;
  over = true;
  const { units, errors, error } = tally.read();
  const cpu_ms = (cpuMs(pid) - cpu_before) / units;
  await Promise.all(loops);
  return {
    units,
    errors,
    error,
    rate: units / elapsed,
    p50: histogram.percentile(50),
    p99: histogram.percentile(99),
    cpu_ms,
  };
}

/**
 * Starts a unit of work `per_second` times a second. Its time counts from the moment it was due.
 * @param {Work} work
 * @param {{ readonly per_second: number, readonly seconds: number, readonly add: (ms: number) => void }} options
 */
export async function openLoop(work, { per_second, seconds, add }) {
  const tally = createTally();
  const started = performance.now();
  /** @type {Promise<void>[]} */
  const running = [];
  const one = async (/** @type {number} */ due) => {
    if (await tally.count(work, () => true)) add(performance.now() - due);
  };
  for (let i = 0; i < per_second * seconds; i += 1) {
    const due = started + (i * 1000) / per_second;
    while (performance.now() < due) await wait(Math.max(1, due - performance.now()));
    running.push(one(due));
  }
  await Promise.all(running);
  return tally.read();
}

/** Counts what went well and what did not. */
function createTally() {
  let units = 0;
  let errors = 0;
  /** @type {string | null} */
  let error = null;
  return {
    /**
     * @param {Work} work
     * @param {() => boolean} counts whether it still counts when it is done
     */
    async count(work, counts) {
      try {
        await work();
        if (counts()) units += 1;
        return true;
      } catch (cause) {
        if (counts()) errors += 1;
        error ??= cause instanceof Error ? cause.message : String(cause);
        return false;
      }
    },
    read: () => ({ units, errors, error }),
  };
}
