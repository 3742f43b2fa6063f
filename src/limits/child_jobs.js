/**
 * The other end of child_queue.ts, for the processes it forks: a lower priority, one answer for each message, and an end with its parent.
 * Plain JavaScript, so that it can be forked from src/ and from dist/ alike.
 */
import { constants, setPriority } from 'node:os';
import process from 'node:process';

/**
 * Answers each message with what `work` gives for it; where it throws, with its message after `name`.
 *
 * @template {object} Job
 * @param {string} name
 * @param {(job: Job) => unknown} work
 */
export function answerJobs(name, work) {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // not allowed here: it works all the same
  }
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group: the parent drains, then disconnects
  process.on('SIGTERM', () => {});
  process.on('message', async (/** @type {Job & { id: number }} */ job) => {
    try {
      answer({ id: job.id, result: await work(job) });
    } catch (error) {
      answer({ id: job.id, error: `${name}: ${error instanceof Error ? error.message : 'unknown'}` });
    }
  });
}

/** @param {object} message */
function answer(message) {
  process.send?.(message, () => {}); // a parent that was just killed cannot be told; without the callback that would be thrown
}
