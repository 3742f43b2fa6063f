/** What every grant is: it decides what the tokens say and writes it down; only endpoints/token.ts hands tokens out. */
import { claimsWithin } from '../claims/index.js';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { type ClaimsRequest, claimsAllowed, noClaims } from '../oauth/claims_request.js';
import type { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { intersect, scopeWords } from '../oauth/scope.js';
import type { Client } from '../store/clients.js';
import type { Trx } from '../store/db.js';
import { audienceOf } from '../tokens/audience.js';
import type { Granted } from '../tokens/granted.js';

export interface GrantRequest {
  readonly now: number;
  readonly client: Client;
  readonly params: Params;
  /** The resources that the request names, known ones (RFC 8707 §2.2). */
  readonly requested_resources: readonly string[];
  /** The scope words of each resource server. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
  readonly ring: KeyRing;
  readonly config: Config;
}

/** A grant that reads and writes. */
export interface StoredGrant {
  readonly grant_type: string;
  readonly stores: true;
  /**
   * Runs inside a transaction. Throws an OAuthError to refuse and undo; returns one to refuse and keep what was written
   * (a replay revokes).
   */
  exchange(trx: Trx, request: GrantRequest): Promise<Granted | OAuthError>;
}

/** A grant that decides from the request alone: no transaction is opened for it. */
interface ImmediateGrant {
  readonly grant_type: string;
  readonly stores: false;
  exchange(request: GrantRequest): Granted;
}

export type Grant = StoredGrant | ImmediateGrant;

/** Whom the access token of a request is for, out of what was granted. */
export function grantedAudience(request: GrantRequest, scope: readonly string[], granted: readonly string[]) {
  return audienceOf({
    issuer: request.config.ISSUER,
    resources: request.resources,
    scope,
    granted,
    requested: request.requested_resources,
    default_resource: request.client.default_resource,
  });
}

/** The words of a scope that was granted once, as far as they are registered for the client still. Hardening row 22. */
export function storedScope({ client }: GrantRequest, scope: string): readonly string[] {
  return intersect(scopeWords(scope), scopeWords(client.scope));
}

/** Reads a claims request that actions/codes.ts stored, as far as the client's scope still reaches. */
export function storedClaims({ client }: GrantRequest, claims: string | null): ClaimsRequest {
  const stored = claims === null ? noClaims : (JSON.parse(claims) as ClaimsRequest); // written from a parsed one
  return claimsAllowed(stored, claimsWithin(scopeWords(client.scope)));
}
