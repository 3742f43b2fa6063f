/**
 * The process that hashes passwords, apart from the one that issues tokens and with a lower priority, so that a storm of sign-ins
 * slows no token.
 */
import argon2 from 'argon2';
import { answerJobs } from './child_jobs.js';

/**
 * @typedef {{ password: string, hash: string, alongside?: string }} Verify
 * @typedef {{ password: string, options: { memoryCost: number, timeCost: number, parallelism: number } }} Hash
 */

answerJobs('argon2', (/** @type {Verify | Hash} */ job) =>
  'hash' in job ? verify(job) : argon2.hash(job.password, { ...job.options, type: argon2.argon2id }),
);

/** @param {Verify} job */
async function verify({ password, hash, alongside }) {
  if (alongside === undefined) return argon2.verify(hash, password);
  // Loaded on first need: most servers have no such hash.
  const { verifyImported } = await import('./imported_hashes.js');
  const [right] = await Promise.all([verifyImported(hash, password), argon2.verify(alongside, password)]);
  return right;
}
