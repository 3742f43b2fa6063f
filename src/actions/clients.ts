/** Relying applications: registering, changing, disabling, removing them. Every process knows within a second. */
import type { Deps } from '../deps.js';
import { type ClientMetadata, parseClientMetadata } from '../oauth/client_metadata.js';
import { UserError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import * as clients from '../store/clients.js';
import type { Trx } from '../store/db.js';
import type { StatusIndex } from '../store/status_lists.js';
import * as statusRevocations from '../store/status_revocations.js';
import { isCurrent, statusOf } from '../tokens/status.js';
import { changing } from './changing.js';

const change = changing('clients');

type ClientDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'statusIndices'>;

export interface NewClient {
  readonly client: clients.Client;
  /** Told this once; stored as a digest. Null for clients that have none. */
  readonly client_secret: string | null;
}

/** Registers a client. Throws OAuthError `invalid_request` naming all that is wrong with its metadata. */
export async function addClient(
  deps: ClientDeps,
  metadata: unknown,
  now: number,
  client_id = newId(),
): Promise<NewClient> {
  const parsed = parseClientMetadata(metadata, { allow_loopback_http: deps.config.loopback });
  const client_secret = usesSecret(parsed) ? newSecret() : null;
  const client: clients.Client = {
    ...parsed,
    client_id,
    client_secret_hash: client_secret === null ? null : digest(client_secret),
    created_at: now,
    updated_at: now,
    disabled_at: null,
    ...(await deps.statusIndices.reserve(now)),
  };
  await change(deps, { type: 'client_added', client_id }, now, async (trx) => {
    if (!(await clients.insert(trx, client)))
      throw new UserError('conflict', `There is a client ${client_id} already.`);
  });
  return { client, client_secret };
}

function usesSecret({ token_endpoint_auth_method }: ClientMetadata): boolean {
  return (
    token_endpoint_auth_method === 'client_secret_basic' ||
    token_endpoint_auth_method === 'client_secret_post'
  );
}

/** A client by its id, read from the database. Throws UserError `not_found`. */
export async function loadClient(deps: Pick<Deps, 'db'>, client_id: string): Promise<clients.Client> {
  const client = await clients.find(deps.db, client_id);
  if (client === undefined) throw new UserError('not_found', `There is no client ${client_id}.`);
  return client;
}

/**
 * Changes some of a client's metadata; members set to null go back to their default. Where it now needs a secret and has none, one
 * is made. Throws as addClient, and UserError `conflict` if somebody changed it at the same time.
 */
export async function updateClient(
  deps: ClientDeps,
  client_id: string,
  changes: Readonly<Record<string, unknown>>,
  now: number,
): Promise<NewClient> {
  const before = await loadClient(deps, client_id);
  const merged = Object.entries({ ...metadataOf(before), ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const parsed = parseClientMetadata(Object.fromEntries(merged), {
    allow_loopback_http: deps.config.loopback,
  });
  const client_secret = usesSecret(parsed) && before.client_secret_hash === null ? newSecret() : null;
  const kept = usesSecret(parsed) ? before.client_secret_hash : null;
  const client: clients.Client = {
    ...parsed,
    client_id,
    client_secret_hash: client_secret === null ? kept : digest(client_secret),
    created_at: before.created_at,
    updated_at: later(before, now),
    disabled_at: before.disabled_at,
    ...(statusOf(before) ?? (await deps.statusIndices.reserve(now))),
  };
  await change(deps, { type: 'client_updated', client_id }, now, (trx) => write(trx, client, before));
  return { client, client_secret };
}

/** The registered metadata of a client, without what the server adds. */
export function metadataOf(client: clients.Client): ClientMetadata {
  const { client_id, client_secret_hash, created_at, updated_at, disabled_at, ...rest } = client;
  const { status_list, status_index, ...metadata } = rest;
  return metadata;
}

/** Gives a client a new secret; the old one stops working. Throws UserError `not_allowed` for a client without secrets. */
export async function rotateClientSecret(
  deps: ClientDeps,
  client_id: string,
  now: number,
): Promise<NewClient> {
  const before = await loadClient(deps, client_id);
  if (!usesSecret(before))
    throw new UserError(
      'not_allowed',
      `The client ${client_id} has no secret: it uses ${before.token_endpoint_auth_method}.`,
    );
  const client_secret = newSecret();
  const client = { ...before, client_secret_hash: digest(client_secret), updated_at: later(before, now) };
  await change(deps, { type: 'client_secret_rotated', client_id }, now, (trx) => write(trx, client, before));
  return { client, client_secret };
}

/** Disables a client, which ends all codes and tokens it has at once, or enables it again. */
export async function disableClient(
  deps: ClientDeps,
  client_id: string,
  disabled: boolean,
  now: number,
): Promise<clients.Client> {
  const before = await loadClient(deps, client_id);
  const status = disabled ? await deps.statusIndices.reserve(now) : {}; // its tokens end with the old one
  const client = { ...before, ...status, disabled_at: disabled ? now : null, updated_at: later(before, now) };
  await change(
    deps,
    { type: disabled ? 'client_disabled' : 'client_enabled', client_id },
    now,
    async (trx) => {
      await write(trx, client, before);
      if (disabled) await endTokens(trx, deps, before, now);
    },
  );
  return client;
}

/** Removes a client with its consents, codes and tokens. Throws UserError `not_found`. */
export async function removeClient(deps: ClientDeps, client_id: string, now: number): Promise<void> {
  await change(deps, { type: 'client_removed', client_id }, now, async (trx) => {
    const client = await clients.find(trx, client_id);
    if (client !== undefined) await endTokens(trx, deps, client, now);
    if (!(await clients.remove(trx, client_id)))
      throw new UserError('not_found', `There is no client ${client_id}.`);
  });
}

/** Revokes the access tokens that a client got for itself with this status, all of them; those to come have another. */
export async function renewClientStatus(
  deps: ClientDeps,
  client_id: string,
  status: StatusIndex | null,
  now: number,
): Promise<void> {
  const before = await loadClient(deps, client_id);
  if (status === null || !isCurrent(status, before)) return;
  const client = { ...before, ...(await deps.statusIndices.reserve(now)), updated_at: later(before, now) };
  await change(deps, { type: 'client_tokens_revoked', client_id }, now, async (trx) => {
    await write(trx, client, before);
    await statusRevocations.insert(trx, status, now, now + deps.config.ACCESS_TOKEN_SECONDS);
  });
}

/** Ends all that a client has: what people gave it, and the tokens it got for itself. */
async function endTokens(
  trx: Trx,
  { config }: Pick<Deps, 'config'>,
  client: clients.Client,
  now: number,
): Promise<void> {
  await authorizations.revokeByClient(trx, client.client_id, now);
  const status = statusOf(client);
  if (status !== null) await statusRevocations.insert(trx, status, now, now + config.ACCESS_TOKEN_SECONDS);
}

/** `updated_at` tells versions of a row apart, so it always moves. */
function later(before: clients.Client, now: number): number {
  return Math.max(now, before.updated_at + 1);
}

async function write(trx: Trx, client: clients.Client, before: clients.Client): Promise<void> {
  if (await clients.update(trx, client, before.updated_at)) return;
  throw new UserError(
    'conflict',
    `The client ${client.client_id} was changed by somebody else at the same time. Please try again.`,
  );
}
