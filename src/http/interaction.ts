/** A pending authorization request as the pages see it: opened, with its client, and ways to go on or to give up. */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { replyNow } from '../oauth/authorization_request.js';
import { errorObject, OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { inLanguage } from '../oauth/translations.js';
import type { Client } from '../store/clients.js';
import { seeOther } from './answer.js';
import { type ResponseDeps, respond, respondTo } from './authorization_response.js';
import { browserOf } from './browser.js';
import { openPending, type PendingAuthorization, sealPending } from './pending.js';

export type InteractionDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'keys'>;

export interface Interaction {
  readonly pending: PendingAuthorization;
  readonly client: Client;
  /** The request as the page's form carries it. */
  readonly sealed: string;
}

/** A client that may be asked for here. Throws what is shown as a page. */
export async function findClient(deps: Pick<Deps, 'caches'>, client_id: string): Promise<Client> {
  const client = await deps.caches.client(client_id);
  if (client !== undefined && client.disabled_at === null) return client;
  const failed = {
    check: 'client_id must be that of a registered, enabled client',
    received: client_id,
    expected: [],
  };
  throw new OAuthError('invalid_request', 'client_id is unknown', { failed });
}

/** The interaction that a page's parameter `request` carries; null for a page that was opened by itself. */
export async function readInteraction(
  deps: InteractionDeps,
  ctx: Context,
  params: Params,
  now: number,
): Promise<Interaction | null> {
  const came = params.get('request');
  if (came === undefined) return null;
  const ring = await deps.keys.get();
  const here = { browser: browserOf(ctx, deps.config), now };
  return interactionOf(deps, openPending(ring, 'authorization', came, here));
}

/** How a page under way leads to the next one: with the request that it carries, if any. */
export function requestQuery(interaction: Interaction | null): string {
  return interaction === null ? '' : `?request=${interaction.sealed}`;
}

/** The interaction of a pending request that was opened. Throws what is shown as a page. */
export async function interactionOf(
  deps: Pick<Deps, 'caches' | 'keys'>,
  pending: PendingAuthorization,
): Promise<Interaction> {
  const client = await findClient(deps, pending.request.client_id);
  replyNow(pending.request, client); // or a page that names what is wrong
  return { pending, client, sealed: sealPending(await deps.keys.get(), 'authorization', pending) };
}

/** The same, for a page that is nothing by itself. Throws `invalid_request` where it was opened so. */
export async function requireInteraction(
  deps: InteractionDeps,
  ctx: Context,
  params: Params,
  now: number,
): Promise<Interaction> {
  const interaction = await readInteraction(deps, ctx, params, now);
  if (interaction === null) throw new OAuthError('invalid_request', 'request is missing');
  return interaction;
}

/** Goes back to the authorization endpoint, which decides what comes next. */
export function goOn(ctx: Context, deps: Pick<Deps, 'config'>, interaction: Interaction): void {
  seeOther(ctx, `${deps.config.base}/authorize/resume?request=${interaction.sealed}`);
}

/** The person does not want to: the application is told (protocol.md INT-10). */
export function giveUp(ctx: Context, deps: ResponseDeps, { pending, client }: Interaction): Promise<void> {
  const denied = new OAuthError('access_denied', 'the user did not agree');
  return respond(ctx, deps, respondTo(client, pending), errorObject(deps.config.ISSUER, denied));
}

/** A client as pages show it. */
export interface ShownClient {
  readonly name: string;
  readonly logo_url: string | null;
  readonly client_uri: string | null;
  readonly policy_uri: string | null;
  readonly tos_uri: string | null;
  /** The colour of pages about it. */
  readonly accent: string | null;
}

/** What a client is called, and its documents, in the first of `languages` that it is registered in (protocol.md INT-11). */
export function shownClient(client: Client, base: string, languages: readonly string[]): ShownClient {
  return {
    name: inLanguage(client, 'client_name', languages) ?? client.client_name,
    logo_url: logoUrl(client, base, languages),
    client_uri: inLanguage(client, 'client_uri', languages) ?? null,
    policy_uri: inLanguage(client, 'policy_uri', languages) ?? null,
    tos_uri: inLanguage(client, 'tos_uri', languages) ?? null,
    accent: client.brand_color ?? null,
  };
}

function logoUrl(client: Client, base: string, languages: readonly string[]): string | null {
  const ours = `${base}/logos/${encodeURIComponent(client.client_id)}`;
  const translated = inLanguage(client, 'logo_uri', languages);
  if (translated === client.logo_uri) return translated === undefined ? null : ours;
  return `${ours}?lang=${languages.join('+')}`;
}
