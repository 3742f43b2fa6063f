/**
 * The process that hashes passwords, apart from the one that issues tokens and with a lower priority, so that a storm of sign-ins
 * slows no token.
 */
import argon2 from 'argon2';
import { answerJobs } from './child_jobs.js';

/**
 * @typedef {{ password: string, hash: string }} Verify
 * @typedef {{ password: string, options: { memoryCost: number, timeCost: number, parallelism: number } }} Hash
 */

answerJobs('argon2', (/** @type {Verify | Hash} */ job) =>
  'hash' in job
    ? argon2.verify(job.hash, job.password)
    : argon2.hash(job.password, { ...job.options, type: argon2.argon2id }),
);
