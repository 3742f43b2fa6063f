/** Rotates the signing key and the sealing keys when they are old enough. Nobody is signed out by it. Design §7. */
import { rotateDueKeys } from '../actions/keys.js';
import type { Job } from './job.js';

export const rotateKeys: Job = {
  name: 'rotate_keys',
  every_seconds: 300,
  run: (deps, now) => rotateDueKeys(deps, now),
};
