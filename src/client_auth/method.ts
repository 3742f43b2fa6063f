/** What every token_endpoint_auth_method is. RFC 6749 §2.3; OpenID Connect Core §9. */
import type { Config } from '../config.js';
import type { Keys } from '../keys/keys.js';
import type { Params } from '../oauth/params.js';
import type { Client } from '../store/clients.js';
import type { Db } from '../store/db.js';
import type { ClientKeys } from './client_keys.js';

export interface AuthenticationRequest {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly params: Params;
}

/** What a request shows of its client: who it says it is, and how it proves that. */
export interface Presented {
  readonly client_id: string;
  readonly proof: string;
}

export interface VerifyContext {
  readonly db: Db;
  readonly config: Config;
  readonly clientKeys: ClientKeys;
  readonly keys: Keys;
  readonly now: number;
}

export interface ClientAuthentication {
  readonly method: string;
  /** What the request presents for this method; undefined if it does not use it. Throws `invalid_request` if it is malformed. */
  presented(request: AuthenticationRequest): Presented | undefined;
  /** Whether the proof is this client's. */
  verify(context: VerifyContext, client: Client, proof: string): Promise<boolean>;
}
