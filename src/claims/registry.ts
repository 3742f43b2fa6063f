/** Every claim set. One line each. */
export { address } from './address.js';
export { email } from './email.js';
export { phone } from './phone.js';
export { profile } from './profile.js';
export { roles } from './roles.js';
