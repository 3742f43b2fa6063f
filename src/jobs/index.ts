/** Every job. One line each. */
export { cleanup } from './cleanup.js';
export { rotateKeys } from './rotate_keys.js';
