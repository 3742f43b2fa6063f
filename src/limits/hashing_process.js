/**
 * The process that hashes passwords, apart from the one that issues tokens and with a lower priority, so that a storm of sign-ins
 * slows no token. Speaks over the IPC channel that fork opened; ends with its parent. Plain JavaScript, so that it can be forked
 * from src/ and from dist/ alike.
 */
import { constants, setPriority } from 'node:os';
import process from 'node:process';
import argon2 from 'argon2';

/**
 * @typedef {{ id: number, password: string, hash: string }} Verify
 * @typedef {{ id: number, password: string, options: { memoryCost: number, timeCost: number, parallelism: number } }} Hash
 */

try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // not allowed here: it hashes all the same
}

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group: the parent drains, then disconnects
process.on('SIGTERM', () => {});
process.on('message', (/** @type {Verify | Hash} */ job) => {
  const work =
    'hash' in job
      ? argon2.verify(job.hash, job.password)
      : argon2.hash(job.password, { ...job.options, type: argon2.argon2id });
  work.then(
    (result) => answer({ id: job.id, result }),
    (error) => answer({ id: job.id, error: error instanceof Error ? error.message : 'unknown' }),
  );
});

/** @param {{ id: number, result: boolean | string } | { id: number, error: string }} message */
function answer(message) {
  process.send?.(message, () => {}); // a parent that was just killed cannot be told; without the callback that would be thrown
}
