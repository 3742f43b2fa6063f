/** Every job. One line each. */
export { cleanup } from './cleanup.js';
export { deleteAccounts } from './delete_accounts.js';
export { rotateKeys } from './rotate_keys.js';
