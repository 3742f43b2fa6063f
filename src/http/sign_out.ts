/** What follows a sign-out: back to the application if it may be, else a page of our own. RP-Initiated Logout §3. */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { type LogoutRequest, registeredLogoutUri } from '../oauth/logout_request.js';
import { appendQuery } from '../oauth/response_modes/query.js';
import type { Client } from '../store/clients.js';
import { seeOther } from './answer.js';

/** A client that people may be sent back to: one that is disabled counts as none, since its address may be in other hands now. */
export async function returningClient(
  deps: Pick<Deps, 'caches'>,
  client_id: string | null,
): Promise<Client | undefined> {
  const client = client_id === null ? undefined : await deps.caches.client(client_id);
  return client?.disabled_at === null ? client : undefined;
}

/** Sends the browser on. The redirect URI is checked again: the client may have changed while the person was asked. */
export async function afterSignOut(
  deps: Pick<Deps, 'caches' | 'config'>,
  ctx: Context,
  request: LogoutRequest,
): Promise<void> {
  const client = await returningClient(deps, request.client_id);
  if (client === undefined || request.post_logout_redirect_uri === null) {
    const query: Record<string, string> = client === undefined ? {} : { client_id: client.client_id };
    return seeOther(ctx, appendQuery(`${deps.config.base}/signed-out`, query));
  }
  const uri = registeredLogoutUri(request.post_logout_redirect_uri, client.post_logout_redirect_uris);
  seeOther(ctx, appendQuery(uri, request.state === null ? {} : { state: request.state }));
}
