/**
 * Sign-in for server-rendered applications, with any OpenID provider: `/login`, `/callback`, `/logout`, the provider's two ways to
 * sign somebody out, and sessions. See docs/relying-apps-sign-in.md.
 */

export type { HasHeaders } from './cookies.js';
export { createSignIn, type Handler, type SignIn } from './create.js';
export { SignInError, type SignInErrorCode } from './errors.js';
export { expressSignIn, type NodeResponse } from './express.js';
export {
  createSessionTables,
  type KnexLike,
  type KnexSessionsOptions,
  knexSessions,
  sessionTables,
} from './knex_store.js';
export { type KoaContext, koaSignIn } from './koa.js';
export { type MemorySessionsOptions, memorySessions } from './memory_store.js';
export type { NodeRequest } from './node_request.js';
export type { Person } from './session.js';
export type { SignInOptions, SignInPaths } from './settings.js';
export type { SessionStore, StoredSession } from './store.js';
