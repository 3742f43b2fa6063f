/** What a grant yields: all that the tokens of one answer say. */
import type { ClaimsRequest } from '../oauth/claims_request.js';
import type { StatusIndex } from '../store/status_lists.js';

/** The user's part, absent where a client acts for itself. */
export interface GrantedUser {
  readonly user_id: string;
  /** Names the authorization in the `jti` of the access token, so that its end is seen at once. */
  readonly authorization_id: string;
  /** Where the tokens of that authorization have their status; null where it is from a release without status lists. */
  readonly status: StatusIndex | null;
  readonly sid: string;
  readonly auth_time: number;
  readonly amr: readonly string[];
  readonly acr: string;
  /** All that the user granted: its claims go into the ID token, also where the access token is for a resource. */
  readonly scope: readonly string[];
  readonly claims: ClaimsRequest;
  readonly nonce: string | null;
}

export interface Granted {
  readonly user: GrantedUser | null;
  /** The audience of the access token: resources, or the issuer. */
  readonly audience: readonly string[];
  /** The scope of the access token. */
  readonly scope: readonly string[];
  readonly refresh_token: string | null;
}
