/** What every token_endpoint_auth_method is. RFC 6749 §2.3; OpenID Connect Core §9. */
import type { Config } from '../config.js';
import type { Keys } from '../keys/keys.js';
import type { Params } from '../oauth/params.js';
import type { Client } from '../store/clients.js';
import type { Db } from '../store/db.js';
import type { ReadCertificate } from './certificate.js';
import type { ClientKeys } from './client_keys.js';

export interface AuthenticationRequest {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly params: Params;
  /** Reads the certificate that the client showed in the TLS handshake. */
  readonly certificate: ReadCertificate;
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
  readonly certificate: ReadCertificate;
  readonly now: number;
  /** The path of the endpoint that is called, if it is not the token endpoint: an assertion may name its URL. */
  readonly endpoint?: string;
}

export interface ClientAuthentication {
  readonly method: string;
  /** Whether a request shows nothing but its client_id: the proof, if any, is the connection's, which may carry one for other ends. */
  readonly by_connection?: true;
  /** Whether it can work with these settings; always where there is none. */
  isAvailable?(config: Config): boolean;
  /** What the request presents for this method; undefined if it does not use it. Throws `invalid_request` if it is malformed. */
  presented(request: AuthenticationRequest): Presented | undefined;
  /** Whether the proof is this client's. */
  verify(context: VerifyContext, client: Client, proof: string): Promise<boolean>;
}

/** For methods by connection: the client that a request names without any proof in it. */
export function onlyNamed({ params, authorization }: AuthenticationRequest): Presented | undefined {
  const client_id = params.get('client_id');
  const proves = authorization !== undefined || params.has('client_secret') || params.has('client_assertion');
  return client_id === undefined || proves ? undefined : { client_id, proof: '' };
}
