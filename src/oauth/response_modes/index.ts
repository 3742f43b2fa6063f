/** How an authorization response travels back. One line each. */
export { form_post } from './form_post.js';
export { fragment } from './fragment.js';
export { query } from './query.js';
