/**
 * sallyport/relying-party: what an application needs to take the tokens of an OpenID provider. It imports nothing of the server and
 * works with any provider whose access tokens follow RFC 9068; with Sallyport it also knows of a revocation within a second.
 */
export type { RequireTokenOptions } from './bearer.js';
export type { Requirements, VerifiedToken } from './claims.js';
export { type ChallengeOptions, TokenError, type TokenErrorCode, type TokenErrorReason } from './errors.js';
export { requireTokenExpress } from './express.js';
export { requireTokenFetch } from './fetch_handler.js';
export { requireToken } from './koa.js';
export type { Algorithm } from './public_key.js';
export { RemoteError } from './remote.js';
export {
  protectedResourceMetadata,
  type ResourceMetadata,
  type ResourceMetadataOptions,
} from './resource_metadata.js';
export type { Credentials } from './revocation_events.js';
export { createVerifier, type Verifier, type VerifierOptions } from './verifier.js';
