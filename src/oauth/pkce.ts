/** Proof Key for Code Exchange with S256, the only method here. RFC 7636 §4. */
import { digest, equal } from '../secrets.js';
import { OAuthError } from './errors.js';

const unreserved = /^[A-Za-z0-9\-._~]{43,128}$/;

/**
 * The code_challenge of a request, or null where none was sent. Throws `invalid_request` if it is malformed, if its method
 * is not S256 (`plain` is the default of RFC 7636 §4.3 and is refused), or if it is missing although required.
 */
export function parseChallenge(
  code_challenge: string | undefined,
  code_challenge_method: string | undefined,
  required: boolean,
): string | null {
  if (code_challenge === undefined) {
    if (code_challenge_method !== undefined) {
      throw new OAuthError('invalid_request', 'code_challenge_method is sent without code_challenge');
    }
    if (required)
      throw new OAuthError(
        'invalid_request',
        'code_challenge is missing: this client must use PKCE with S256',
      );
    return null;
  }
  if (code_challenge_method !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256');
  }
  if (!unreserved.test(code_challenge)) {
    throw new OAuthError('invalid_request', 'code_challenge must be 43 to 128 unreserved characters');
  }
  return code_challenge;
}

/** Whether the verifier fits the challenge, in constant time. False without a verifier or with a malformed one. RFC 7636 §4.6. */
export function verifyChallenge(code_challenge: string, code_verifier: string | undefined): boolean {
  if (code_verifier === undefined || !unreserved.test(code_verifier)) return false;
  return equal(digest(code_verifier), code_challenge);
}
