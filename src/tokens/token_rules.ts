/** How access tokens for resource servers are made that want them otherwise than usual. RFC 9068 §2.1. */
import type { Config } from '../config.js';
import type { JwsAlg } from '../oauth/algorithms.js';
import type { Caches } from '../store/caches.js';

export interface AccessTokenForm {
  /** Seconds. */
  readonly lifetime: number;
  readonly alg: JwsAlg;
}

/**
 * The shortest lifetime that one of the audience wants, and never more than the setting. The algorithm that all of them want; RS256, which
 * every resource server understands, where they do not agree or the token is for this server as well.
 */
export async function accessTokenForm(
  caches: Pick<Caches, 'tokenRules'>,
  { ACCESS_TOKEN_SECONDS }: Pick<Config, 'ACCESS_TOKEN_SECONDS'>,
  audience: readonly string[],
): Promise<AccessTokenForm> {
  const all = await caches.tokenRules();
  if (all.size === 0) return { lifetime: ACCESS_TOKEN_SECONDS, alg: 'RS256' };
  const rules = audience.map((one) => all.get(one));
  const [alg = 'RS256', ...others] = new Set(rules.map((rule) => rule?.alg ?? 'RS256'));
  return {
    lifetime: Math.min(ACCESS_TOKEN_SECONDS, ...rules.map((rule) => rule?.seconds ?? ACCESS_TOKEN_SECONDS)),
    alg: others.length === 0 ? alg : 'RS256',
  };
}
