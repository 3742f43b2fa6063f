/** Who calls the first-party sign-in API, and whom its tokens are for. The same for its endpoints. Decisions 29. */
import type { Context } from 'koa';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { assertOwnPage, assertUsesSignInApi, type Mode, type Sender } from '../oauth/direct_sign_in.js';
import { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import type { Client } from '../store/clients.js';

export type CallerDeps = Pick<Deps, 'caches' | 'clientKeys' | 'config' | 'db' | 'keys'>;

/**
 * The client that the body names. It is a public one: it proves nothing, and the Authorization header is not for it here. Throws
 * `invalid_client` or `unauthorized_client`.
 */
export async function readClient(deps: CallerDeps, params: Params, now: number): Promise<Client> {
  params.require('client_id');
  const client = await authenticateClient(
    { ...deps, now },
    { authorization: undefined, params, certificate: () => undefined },
  );
  assertUsesSignInApi(client);
  return client;
}

/** Throws `access_denied` where a browser says that the request is not of the client's own pages. */
export function assertFrom(ctx: Context, client: Client, mode: Mode): void {
  assertOwnPage(client, senderOf(ctx), mode);
}

function senderOf(ctx: Context): Sender {
  return { method: ctx.method, origin: ctx.get('origin'), site: ctx.get('sec-fetch-site') };
}

/**
 * A token in a cookie comes back here, to /users/me and to the sign-out, so it must be for this server too. Throws `invalid_target`.
 */
export function assertForCookie(mode: Mode, audience: readonly string[], issuer: string): void {
  if (mode === 'cookie' && !audience.includes(issuer))
    throw new OAuthError('invalid_target', `in cookie mode resource must name ${issuer} as well`);
}
