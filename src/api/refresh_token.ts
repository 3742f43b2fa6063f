/**
 * POST /users/refresh-token: the grant refresh_token of the token endpoint, with the token in the body or in its cookie. A token that
 * came in a cookie is answered in cookies alone: no script ever sees it. RFC 6749 §6; decisions 8 and 29.
 */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { refreshToken } from '../grants/refresh_token.js';
import { readJson } from '../http/read.js';
import { readResources } from '../http/resources.js';
import { accessCookie, refreshCookie } from '../http/token_cookies.js';
import { OAuthError } from '../oauth/errors.js';
import { type AccessToken, readAccessToken } from '../tokens/access_token.js';
import type { Granted } from '../tokens/granted.js';
import { assertForCookie, assertFrom, type CallerDeps, readClient } from './caller.js';
import { answerTokens } from './tokens.js';

export function refresh(deps: CallerDeps & Pick<Deps, 'clock' | 'keys' | 'log'>): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const { config } = deps;
    const params = await readJson(ctx);
    const client = await readClient(deps, params, now);
    const mode = params.has('refresh_token') ? 'bearer' : 'cookie';
    assertFrom(ctx, client, mode);
    if (!client.grant_types.includes('refresh_token'))
      throw new OAuthError('unauthorized_client', 'this client may not use grant_type refresh_token');
    const presented = params.get('refresh_token') ?? refreshCookie(ctx, config);
    if (presented === undefined) throw new OAuthError('invalid_grant', 'there is no refresh_token');

    const resources = await readResources(deps, params);
    const ring = await deps.keys.get();
    const held = accessCookie(ctx, config);
    const heldAccess =
      held === undefined ? undefined : readAccessToken(ring, config, held, { now, allow_expired: true });
    const request = {
      ...resources,
      now,
      client,
      ring,
      config,
      params: params.with('refresh_token', presented),
    };
    const granted = await deps.db.transaction(async (trx) => {
      const outcome = await refreshToken.exchange(trx, request);
      if (outcome instanceof OAuthError) return outcome;
      if (mode === 'cookie') assertSameSignIn(outcome, heldAccess);
      assertForCookie(mode, outcome.audience, config.ISSUER);
      return outcome;
    });
    if (granted instanceof OAuthError) throw granted; // returned by the grant, so its writes are kept
    await answerTokens(deps, ctx, { client, granted, mode, ring, now });
  };
}

/**
 * Another host of this site can put a refresh cookie of its own into the browser, and sign the person in as somebody else: only a
 * `__Host-` cookie is safe from that. So the two must be of one sign-in. RFC 6265bis §4.1.3, §8.6.
 */
function assertSameSignIn({ user }: Granted, access: AccessToken | undefined): void {
  if (access === undefined || user?.authorization_id !== access.authorization_id)
    throw new OAuthError('invalid_grant', 'the cookies are not of one sign-in');
}
