/**
 * Rotates keys when they are old enough; nobody is signed out by it. At the first start it makes the keys that others encrypt to, which
 * nobody waits for. Design §7.
 */
import { rotateDueKeys } from '../actions/keys.js';
import type { Job } from './job.js';

export const rotateKeys: Job = {
  name: 'rotate_keys',
  every_seconds: 300,
  at_start: true,
  run: (deps, now) => rotateDueKeys(deps, now),
};
