/**
 * Client registration, POST /register (RFC 7591; OpenID Connect Registration §3), and the client's own management of it, GET, PUT and
 * DELETE /register/:client_id (RFC 7592). Who may register is a setting; who registered may go on managing, whatever it is now.
 */
import type { RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import {
  authenticateRegistration,
  type Registered,
  registerClient,
  replaceRegistration as replace,
} from '../actions/client_registration.js';
import { removeClient } from '../actions/clients.js';
import { requireRegistrationToken } from '../actions/registration_tokens.js';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { bearerHeader, NoToken } from '../http/bearer.js';
import { clientAddress, parseNetworks } from '../http/client_address.js';
import { readJsonObject } from '../http/read.js';
import { sourceOf } from '../limits/attempts.js';
import { countRegistration } from '../limits/registrations.js';
import { asRegistrationError, type RegistrationRequest, toldMetadata } from '../oauth/client_registration.js';
import { OAuthError } from '../oauth/errors.js';
import { type Client, isStranger } from '../store/clients.js';

type RegistrationDeps = Pick<
  Deps,
  'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'masterKeys' | 'outbound' | 'statusIndices'
>;

export function registration(deps: RegistrationDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const policy = deps.config.CLIENT_REGISTRATION;
    if (policy === 'closed')
      throw new OAuthError('access_denied', 'applications are added by the operator of this server alone');
    const token = bearerHeader(ctx.get('authorization'));
    if (token === undefined && policy === 'token') throw new NoToken();
    const initial_token = token === undefined ? null : await requireRegistrationToken(deps, token, now);
    if (initial_token === null) await countStranger(deps, sourceOf(clientAddress(ctx, trusted)), now);

    const registered = await registerClient(deps, await readMetadata(ctx), initial_token, now);
    const { client_id } = registered.client;
    const by = { client_id, initial_token_id: initial_token?.id ?? null };
    deps.log.info({ event: 'client_registered', ...by }, 'client registered');
    noStoreJson(ctx, informationResponse(deps.config, registered), 201);
  };
}

/** Who comes without a token is counted before anything is read or fetched for them. */
async function countStranger(deps: RegistrationDeps, source: string, now: number): Promise<void> {
  const retry_after = await countRegistration(
    deps.db,
    source,
    deps.config.CLIENT_REGISTRATIONS_PER_SOURCE,
    now,
  );
  if (retry_after === null) return;
  const description = 'too many registrations or changes from where you are; try again later';
  throw new OAuthError('temporarily_unavailable', description, { status: 429, retry_after });
}

export function readRegistration(deps: RegistrationDeps): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const { client, token } = await authenticated(deps, ctx);
    noStoreJson(
      ctx,
      informationResponse(deps.config, { client, client_secret: null, registration_access_token: token }),
    );
  };
}

export function replaceRegistration(deps: RegistrationDeps): (ctx: RouterContext) => Promise<void> {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const { client, token } = await authenticated(deps, ctx);
    // Each change is a line of the audit trail, and every process reads all clients anew.
    if (isStranger(client)) await countStranger(deps, sourceOf(clientAddress(ctx, trusted)), deps.clock());
    const replaced = await replace(deps, client, await readMetadata(ctx), deps.clock());
    noStoreJson(ctx, informationResponse(deps.config, { ...replaced, registration_access_token: token }));
  };
}

export function removeRegistration(deps: RegistrationDeps): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const { client } = await authenticated(deps, ctx);
    await removeClient(deps, client.client_id, deps.clock());
    deps.log.info({ event: 'client_removed', client_id: client.client_id }, 'client removed by itself');
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 204;
  };
}

async function authenticated(deps: RegistrationDeps, ctx: RouterContext) {
  const token = bearerHeader(ctx.get('authorization'));
  if (token === undefined) throw new NoToken();
  const client: Client = await authenticateRegistration(deps, ctx.params.client_id ?? '', token);
  return { client, token };
}

/** The body; what is wrong with it is told by the codes of registration, too. */
async function readMetadata(ctx: Context): Promise<RegistrationRequest> {
  try {
    return await readJsonObject(ctx);
  } catch (error) {
    throw asRegistrationError(error);
  }
}

/**
 * RFC 7591 §3.2.1; RFC 7592 §3. The secret is told when it is made and never again: it is stored as a digest. The registration access
 * token is the one that the client has.
 */
function informationResponse(
  { ISSUER }: Pick<Config, 'ISSUER'>,
  { client, client_secret, registration_access_token }: Registered,
) {
  return {
    client_id: client.client_id,
    client_id_issued_at: client.created_at,
    ...(client_secret !== null && { client_secret, client_secret_expires_at: 0 }),
    registration_access_token,
    registration_client_uri: `${ISSUER}/register/${client.client_id}`,
    ...toldMetadata(client),
  };
}
