/**
 * `session_state` of an authorization response: what an application asks the check_session_iframe about. OpenID Connect Session
 * Management §2. views/assets/check_session.js computes the same.
 */
import { digest } from '../secrets.js';

export interface SessionStateOf {
  readonly client_id: string;
  /** Where the response goes. Its origin is the only one that is ever answered `unchanged`. */
  readonly redirect_uri: string;
  /** What the browser's state cookie holds. */
  readonly browser_state: string;
}

/**
 * A salted hash, and its salt. Undefined where the redirect URI has no origin, as one of a native application: no page of it can
 * frame ours.
 */
export function sessionState(of: SessionStateOf, salt: string): string | undefined {
  const { origin } = new URL(of.redirect_uri);
  if (origin === 'null') return undefined;
  return `${digest(`${of.client_id} ${origin} ${of.browser_state} ${salt}`)}.${salt}`;
}
