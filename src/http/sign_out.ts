/**
 * What follows a sign-out: the applications that want it are told by the browser (Front-Channel Logout §3), then it goes back to the
 * application if it may, else to a page of our own. RP-Initiated Logout §3.
 */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { OAuthError } from '../oauth/errors.js';
import { type LogoutRequest, registeredLogoutUri } from '../oauth/logout_request.js';
import { appendQuery } from '../oauth/response_modes/query.js';
import { type Client, isStranger } from '../store/clients.js';
import { sidFor } from '../tokens/subject.js';
import { seeOther } from './answer.js';
import { browserOf } from './browser.js';
import { arrive, sealPending } from './pending.js';
import { type UpstreamEnd, upstreamSignOut } from './upstream_sign_out.js';

/** Applications that one page tells, at most: their names travel in its address. */
const most_frames = 50;

/** A session that has just ended, and the clients that took part in it. */
export interface EndedSession {
  readonly sid: string;
  readonly client_ids: readonly string[];
  /** The session at another provider that it came from, as long as it has not been ended, too. */
  readonly upstream: UpstreamEnd | null;
}

/** What the page after a sign-out is to do. */
export interface SignedOut {
  readonly request: LogoutRequest;
  readonly ended: EndedSession;
}

type SignOutDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'keys'>;

/** A client that people may be sent back to: one that is disabled counts as none, since its address may be in other hands now. */
export async function returningClient(
  deps: Pick<Deps, 'caches'>,
  client_id: string | null,
): Promise<Client | undefined> {
  const client = client_id === null ? undefined : await deps.caches.client(client_id);
  return client?.disabled_at === null ? client : undefined;
}

/**
 * Sends the browser on; by way of a page that tells the other applications where `ended` names some that want it. The redirect URI is
 * checked again: the client may have changed while the person was asked.
 */
export async function afterSignOut(
  deps: SignOutDeps,
  ctx: Context,
  request: LogoutRequest,
  ended: EndedSession | null,
): Promise<void> {
  const client = await returningClient(deps, request.client_id);
  const uri = returnUri(request, client);
  const onwards = await upstreamSignOut(deps, ended?.upstream ?? null);
  if (ended?.upstream && onwards?.when === 'always') {
    const to = `/upstream/${ended.upstream.provider_id}/sign-out`;
    const sealed = await sealPage(deps, ctx, { request, ended });
    if (sealed !== null) return seeOther(ctx, `${deps.config.base}${to}?request=${sealed}`);
  }
  const offered = onwards?.when === 'offer' && uri === null;
  const told = ended === null ? null : await sealSignedOut(deps, ctx, request, { ended, offered });
  if (told !== null) return seeOther(ctx, `${deps.config.base}/signed-out?request=${told}`);
  // Where nobody signed out, nobody agreed to go anywhere: a stranger's registration would make of this server a way to send
  // people elsewhere (RFC 9700 §4.11.2; RP-Initiated Logout §3).
  const asked = ended !== null || client === undefined || !isStranger(client);
  if (uri !== null && asked) return seeOther(ctx, uri);
  const ui_locales = request.ui_locales.join(' ');
  const query: Record<string, string> = {
    ...(client !== undefined && { client_id: client.client_id }),
    ...(ui_locales !== '' && { ui_locales }),
  };
  seeOther(ctx, appendQuery(`${deps.config.base}/signed-out`, query));
}

/** Where a person goes after a sign-out, with the client's state; null for our own page. Throws as registeredLogoutUri. */
export function returnUri(request: LogoutRequest, client: Client | undefined): string | null {
  if (client === undefined || request.post_logout_redirect_uri === null) return null;
  const uri = registeredLogoutUri(request.post_logout_redirect_uri, client.post_logout_redirect_uris);
  return appendQuery(uri, request.state === null ? {} : { state: request.state });
}

/** The addresses that tell the clients of a session that it has ended, each with `iss` and `sid`. Front-Channel Logout §3. */
export async function logoutFrames(
  deps: Pick<Deps, 'caches' | 'config' | 'keys'>,
  { sid, client_ids }: EndedSession,
): Promise<readonly string[]> {
  const frames: string[] = [];
  for (const client_id of client_ids) {
    const client = await returningClient(deps, client_id);
    const uri = client?.frontchannel_logout_uri;
    if (client === undefined || uri === undefined) continue;
    const named = { iss: deps.config.ISSUER, sid: sidFor(await deps.keys.get(), client, sid) };
    frames.push(appendQuery(uri, named));
  }
  return frames;
}

/** Null where nobody is to be told and nothing is offered, or it does not fit into an address: the sign-out counts all the same. */
async function sealSignedOut(
  deps: SignOutDeps,
  ctx: Context,
  request: LogoutRequest,
  { ended, offered }: { readonly ended: EndedSession; readonly offered: boolean },
): Promise<string | null> {
  const wanting: string[] = [];
  for (const client_id of ended.client_ids) {
    if ((await returningClient(deps, client_id))?.frontchannel_logout_uri !== undefined)
      wanting.push(client_id);
  }
  if (wanting.length === 0 && !offered) return null;
  const upstream = offered ? ended.upstream : null;
  return sealPage(deps, ctx, {
    request,
    ended: { sid: ended.sid, client_ids: wanting.slice(0, most_frames), upstream },
  });
}

/** Null where it does not fit into an address. */
async function sealPage(deps: SignOutDeps, ctx: Context, page: SignedOut): Promise<string | null> {
  const pending = arrive(page, browserOf(ctx, deps.config), deps.clock());
  try {
    return sealPending(await deps.keys.get(), 'signed_out', pending);
  } catch (error) {
    if (error instanceof OAuthError) return null; // too large, with an uncommonly long state
    throw error;
  }
}
