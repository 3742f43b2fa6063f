/** Relying applications: registering, changing, disabling, removing them. Every process knows within a second. */
import {
  newClientSecret,
  newSigningSecret,
  noSecret,
  type StoredSecret,
} from '../client_auth/client_secret.js';
import { authenticationMethods } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { type ClientMetadata, parseClientMetadata } from '../oauth/client_metadata.js';
import type { FaultOptions } from '../oauth/client_metadata_faults.js';
import { signedResponseAlgs } from '../oauth/client_rules.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import * as clients from '../store/clients.js';
import type { Trx } from '../store/db.js';
import type { StatusIndex } from '../store/status_lists.js';
import * as statusRevocations from '../store/status_revocations.js';
import { statusOf } from '../tokens/status.js';
import { changing } from './changing.js';
import { ensureKeysFor } from './keys.js';
import { assertSector } from './sector.js';

const change = changing('clients');

type ClientDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'statusIndices'>;
type RegistrationDeps = ClientDeps & Pick<Deps, 'keys' | 'masterKeys' | 'outbound'>;

export interface NewClient {
  readonly client: clients.Client;
  /** Told this once; stored as a digest, or sealed. Null for clients that have none. */
  readonly client_secret: string | null;
}

/** How a client came here by itself: what is stored of that, and whether it may come in, decided inside the transaction. */
export interface SelfRegistration
  extends Pick<clients.Client, 'registration_token_hash' | 'initial_token_id'> {
  /** Throws what the client is told where it may not. */
  readonly admit: (trx: Trx) => Promise<void>;
}

const byOperator: SelfRegistration = {
  registration_token_hash: null,
  initial_token_id: null,
  admit: async () => {},
};

/** Registers a client. Throws OAuthError `invalid_request` naming all that is wrong with its metadata. */
export async function addClient(
  deps: RegistrationDeps,
  metadata: unknown,
  now: number,
  client_id = newId(),
  { admit, ...registration }: SelfRegistration = byOperator,
): Promise<NewClient> {
  const parsed = parseClientMetadata(metadata, rulesOf(deps));
  await assertSector(deps, parsed, null);
  await ensureKeysFor(deps, signedResponseAlgs(parsed), now);
  const { client_secret, stored } = await secretFor(deps, client_id, parsed, null);
  const client: clients.Client = {
    ...parsed,
    client_id,
    ...stored,
    created_at: now,
    updated_at: now,
    disabled_at: null,
    ...(await deps.statusIndices.reserve(now)),
    ...registration,
    last_used_at: registration.registration_token_hash === null ? null : now,
  };
  const type = registration.registration_token_hash === null ? 'client_added' : 'client_registered';
  await change(deps, { type, client_id }, now, async (trx) => {
    await admit(trx);
    if (!(await clients.insert(trx, client)))
      throw new UserError('conflict', { key: 'admin.client_exists', values: { client_id } });
  });
  return { client, client_secret };
}

/** What the settings allow in metadata. */
function rulesOf({ config }: Pick<Deps, 'config'>): FaultOptions {
  return {
    allow_loopback_http: config.loopback,
    response_types: config.RESPONSE_TYPES,
    http_hosts: config.OUTBOUND_ALLOWED_HOSTS,
    token_endpoint_auth_methods: authenticationMethods(config),
  };
}

function usesSecret({ token_endpoint_auth_method }: ClientMetadata): boolean {
  return token_endpoint_auth_method.startsWith('client_secret_');
}

/** The secret that a client needs: the one it has where that will do, else a new one, told this once. */
async function secretFor(
  { keys }: Pick<Deps, 'keys'>,
  client_id: string,
  metadata: ClientMetadata,
  before: StoredSecret | null,
): Promise<{ readonly client_secret: string | null; readonly stored: StoredSecret }> {
  if (!usesSecret(metadata)) return { client_secret: null, stored: noSecret };
  const signs = metadata.token_endpoint_auth_method === 'client_secret_jwt';
  const has = signs ? before?.client_secret_sealed : before?.client_secret_hash;
  if (before !== null && has !== null) {
    const { client_secret_hash, client_secret_sealed } = before;
    const stored = { client_secret_hash, client_secret_sealed: signs ? client_secret_sealed : null };
    return { client_secret: null, stored };
  }
  return signs ? newSigningSecret(await keys.get(), client_id) : newClientSecret();
}

/** A client by its id, read from the database. Throws UserError `not_found`. */
export async function loadClient(deps: Pick<Deps, 'db'>, client_id: string): Promise<clients.Client> {
  const client = await clients.find(deps.db, client_id);
  if (client === undefined)
    throw new UserError('not_found', { key: 'admin.no_client', values: { client_id } });
  return client;
}

/**
 * Changes some of a client's metadata; members set to null go back to their default. Where it now needs a secret and has none
 * that will do, one is made. Throws as addClient, and UserError `conflict` if somebody changed it at the same time.
 */
export async function updateClient(
  deps: RegistrationDeps,
  client_id: string,
  changes: Readonly<Record<string, unknown>>,
  now: number,
): Promise<NewClient> {
  const before = await loadClient(deps, client_id);
  const kept = Object.entries({ ...metadataOf(before), ...withEnc(changes) }).filter(([, value]) =>
    isSet(value),
  );
  return replaceMetadata(deps, before, Object.fromEntries(kept), now);
}

const isSet = (value: unknown) => value !== null && value !== undefined;

/** Where an `…_alg` is taken back, the `…_enc` that came of it goes as well. */
function withEnc(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const gone = Object.keys(changes).filter((name) => name.endsWith('_alg') && !isSet(changes[name]));
  return { ...Object.fromEntries(gone.map((name) => [name.replace(/_alg$/, '_enc'), null])), ...changes };
}

/** Gives a client other metadata in the place of all it had. Throws as updateClient. */
export async function replaceMetadata(
  deps: RegistrationDeps,
  before: clients.Client,
  metadata: unknown,
  now: number,
): Promise<NewClient> {
  const { client_id } = before;
  const parsed = parseClientMetadata(metadata, rulesOf(deps));
  await assertSector(deps, parsed, before);
  await ensureKeysFor(deps, signedResponseAlgs(parsed), now);
  const { client_secret, stored } = await secretFor(deps, client_id, parsed, before);
  const { registration_token_hash, initial_token_id, last_used_at } = before;
  const client: clients.Client = {
    ...parsed,
    ...{ registration_token_hash, initial_token_id, last_used_at },
    client_id,
    ...stored,
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
  const { status_list, status_index, client_secret_sealed, ...others } = rest;
  const { registration_token_hash, initial_token_id, last_used_at, ...metadata } = others;
  return metadata;
}

/** Gives a client a new secret; the old one stops working. Throws UserError `not_allowed` for a client without secrets. */
export async function rotateClientSecret(
  deps: RegistrationDeps,
  client_id: string,
  now: number,
): Promise<NewClient> {
  const before = await loadClient(deps, client_id);
  if (!usesSecret(before))
    throw new UserError('not_allowed', {
      key: 'admin.client_without_secret',
      values: { client_id, method: before.token_endpoint_auth_method },
    });
  const { client_secret, stored } = await secretFor(deps, client_id, before, null);
  const client = { ...before, ...stored, updated_at: later(before, now) };
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

/**
 * Removes a client with its consents, codes and tokens. `remove` deletes the row, where it may. Throws UserError `not_found`, and then
 * nothing has ended.
 */
export async function removeClient(
  deps: ClientDeps,
  client_id: string,
  now: number,
  remove = (trx: Trx) => clients.remove(trx, client_id),
): Promise<void> {
  await change(deps, { type: 'client_removed', client_id }, now, async (trx) => {
    const client = await clients.find(trx, client_id);
    if (client !== undefined) await endTokens(trx, deps, client, now);
    if (!(await remove(trx)))
      throw new UserError('not_found', { key: 'admin.no_client', values: { client_id } });
  });
}

/**
 * Revokes the access tokens that a client got for itself with this status, all of them; those to come have another. Nothing happens where
 * that was done before.
 */
export async function renewClientStatus(
  deps: ClientDeps,
  client_id: string,
  before: StatusIndex,
  now: number,
): Promise<void> {
  const after = await deps.statusIndices.reserve(now);
  const renewed = await change(deps, { type: 'client_tokens_revoked', client_id }, now, async (trx) => {
    if (!(await clients.renewStatus(trx, client_id, { before, after }, now))) return false;
    await statusRevocations.insert(trx, before, now, now + deps.config.ACCESS_TOKEN_SECONDS);
    return true;
  });
  if (!renewed) deps.statusIndices.giveBack(after);
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
  const { client_id } = client;
  throw new UserError('conflict', { key: 'admin.client_changed', values: { client_id } });
}
