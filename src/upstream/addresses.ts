/** Our addresses at another provider: one set for each, so that no answer is taken for another's (RFC 9700 §4.4). */
import type { Config } from '../config.js';

/** Where its answers come to: the redirect URI. */
export function callbackUri({ ISSUER }: Pick<Config, 'ISSUER'>, provider_id: string): string {
  return `${ISSUER}/upstream/${provider_id}/callback`;
}

/** Where a sign-out there comes back to: the post_logout_redirect_uri. */
export function signedOutUri({ ISSUER }: Pick<Config, 'ISSUER'>, provider_id: string): string {
  return `${ISSUER}/upstream/${provider_id}/signed-out`;
}

/** Where it posts logout tokens to. Back-Channel Logout §2.2. */
export function logoutUri({ ISSUER }: Pick<Config, 'ISSUER'>, provider_id: string): string {
  return `${ISSUER}/upstream/${provider_id}/backchannel-logout`;
}
