export { postgres } from './postgres.js';
export { sqlite } from './sqlite.js';
