/**
 * POST /upstream/:id/backchannel-logout: another provider tells us, from server to server, that somebody signed out there. OpenID Connect
 * Back-Channel Logout 1.0 §2.5–§2.8. Hardening rows 19 and 20.
 */
import type { RouterContext } from '@koa/router';
import { endUpstreamSessions } from '../actions/upstream_logout.js';
import { verifyWithKeys } from '../client_auth/client_keys.js';
import type { Deps } from '../deps.js';
import { readMachineForm } from '../http/read.js';
import { OutboundError } from '../limits/outbound.js';
import { OAuthError } from '../oauth/errors.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import { UpstreamError } from '../upstream/errors.js';
import { type LogoutOrder, LogoutTokenError, readLogoutToken } from '../upstream/logout_token.js';

type UpstreamLogoutDeps = Pick<
  Deps,
  'bell' | 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'log' | 'upstream'
>;

export function upstreamLogout(deps: UpstreamLogoutDeps): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const now = deps.clock();
    const params = await readMachineForm(ctx);
    const provider = (await deps.caches.identityProviders()).find(({ id }) => id === ctx.params.id);
    if (provider?.kind !== 'oidc') throw new OAuthError('invalid_request', 'there is no such provider');
    const order = await verified(deps, provider, params.require('logout_token'), now).catch(asOAuthError);
    if (!(await endUpstreamSessions(deps, provider.id, order, now)))
      throw new OAuthError('invalid_request', 'logout_token was used before');
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 200;
    ctx.body = '';
  };
}

/** Its keys are those of its discovery document: fetched when needed, and again, not too often, for a kid that is unknown. */
async function verified(
  deps: UpstreamLogoutDeps,
  provider: IdentityProviderRow,
  token: string,
  now: number,
): Promise<LogoutOrder> {
  const { jwks_uri } = (await deps.upstream.configuration(provider, now)).serverMetadata();
  const holder = { jwks_uri, jwks: undefined };
  const order = await verifyWithKeys(deps.clientKeys, holder, now, (keys) =>
    readLogoutToken(provider, keys, token, now),
  );
  if (order === undefined) throw new LogoutTokenError('the provider has no keys');
  return order;
}

function asOAuthError(cause: unknown): never {
  if (cause instanceof LogoutTokenError) throw new OAuthError('invalid_request', cause.message, { cause });
  if (cause instanceof UpstreamError || cause instanceof OutboundError)
    throw new OAuthError('temporarily_unavailable', 'the keys of the provider cannot be fetched', { cause });
  throw cause;
}
