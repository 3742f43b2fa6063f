/** Table clients: one row for each relying application. Its metadata is one JSON object, read whole and never searched. */
import { type ClientMetadata, fromStored } from '../oauth/client_metadata.js';
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';
import type { StatusIndex } from './status_lists.js';

interface ClientRow {
  client_id: string;
  client_name: string;
  /** SHA-256 of the secret, which has 256 random bits. Null for clients without one. */
  client_secret_hash: string | null;
  /** The secret itself, sealed, of a client that signs with it. Null for all others. */
  client_secret_sealed: string | null;
  metadata: string;
  /** As in the metadata: the outbox searches for it. */
  backchannel_logout_uri: string | null;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  /** Where the tokens that it gets for itself say that their status is. Null for one from a release without status lists. */
  status_list: string | null;
  status_index: number | null;
  /** SHA-256 of its registration access token (RFC 7592). Null for one that the operator added. */
  registration_token_hash: string | null;
  /** The initial access token it registered with. */
  initial_token_id: string | null;
  /** For one that registered itself: within a day, when it was last of use. */
  last_used_at: number | null;
}

/** A client as the server works with it: its metadata are members. */
export interface Client extends Readonly<ClientMetadata> {
  readonly client_id: string;
  readonly client_secret_hash: string | null;
  readonly client_secret_sealed: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly disabled_at: number | null;
  readonly status_list: string | null;
  readonly status_index: number | null;
  readonly registration_token_hash: string | null;
  readonly initial_token_id: string | null;
  readonly last_used_at: number | null;
}

/** Whether nobody answers for a client: it registered itself, without an initial access token of the operator's. */
export function isStranger(client: Pick<Client, 'registration_token_hash' | 'initial_token_id'>): boolean {
  return client.registration_token_hash !== null && client.initial_token_id === null;
}

function fromRow(row: ClientRow): Client {
  const { metadata, backchannel_logout_uri, ...columns } = row;
  return { ...fromStored(JSON.parse(metadata)), ...columns }; // written by toRow, from parsed metadata
}

function toRow(client: Client): ClientRow {
  const { client_id, client_secret_hash, created_at, updated_at, disabled_at, ...rest } = client;
  const { status_list, status_index, client_secret_sealed, ...others } = rest;
  const { registration_token_hash, initial_token_id, last_used_at, ...metadata } = others;
  return {
    ...{ registration_token_hash, initial_token_id, last_used_at },
    ...{ client_id, client_secret_hash, created_at, updated_at, disabled_at, status_list, status_index },
    client_secret_sealed,
    client_name: client.client_name,
    metadata: JSON.stringify(metadata),
    backchannel_logout_uri: client.backchannel_logout_uri ?? null,
  };
}

const insertClient = statement<ClientRow>((sql, value) =>
  sql('clients')
    .insert({
      client_id: value.client_id,
      client_name: value.client_name,
      client_secret_hash: value.client_secret_hash,
      client_secret_sealed: value.client_secret_sealed,
      metadata: value.metadata,
      backchannel_logout_uri: value.backchannel_logout_uri,
      created_at: value.created_at,
      updated_at: value.updated_at,
      disabled_at: value.disabled_at,
      status_list: value.status_list,
      status_index: value.status_index,
      registration_token_hash: value.registration_token_hash,
      initial_token_id: value.initial_token_id,
      last_used_at: value.last_used_at,
    })
    .onConflict('client_id')
    .ignore(),
);

/** Adds a client. False if the client_id is taken. */
export async function insert(db: Db | Trx, client: Client): Promise<boolean> {
  return (await db.run(insertClient, toRow(client))) === 1;
}

const byId = statement<{ client_id: string }, ClientRow>((sql, value) =>
  sql('clients').where({ client_id: value.client_id }),
);

/** Whether a text can be a client_id: visible ASCII. Others are unknown without asking the database. */
export function isPlausibleId(client_id: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(client_id);
}

export async function find(db: Queryable, client_id: string): Promise<Client | undefined> {
  if (!isPlausibleId(client_id)) return undefined;
  const row = await db.first(byId, { client_id });
  return row && fromRow(row);
}

const all = statement<Record<never, never>, ClientRow>((sql) =>
  sql('clients').orderBy('client_name').orderBy('client_id'),
);

export async function list(db: Queryable): Promise<Client[]> {
  return (await db.all(all, {})).map(fromRow);
}

type UpdatedColumns = Omit<
  ClientRow,
  'created_at' | 'registration_token_hash' | 'initial_token_id' | 'last_used_at'
>;

const updateClient = statement<UpdatedColumns & { before: number }>((sql, value) =>
  sql('clients').where({ client_id: value.client_id, updated_at: value.before }).update({
    client_name: value.client_name,
    client_secret_hash: value.client_secret_hash,
    client_secret_sealed: value.client_secret_sealed,
    metadata: value.metadata,
    backchannel_logout_uri: value.backchannel_logout_uri,
    updated_at: value.updated_at,
    disabled_at: value.disabled_at,
    status_list: value.status_list,
    status_index: value.status_index,
  }),
);

/** Writes a changed client. False if somebody changed it since it was read at `before` (its updated_at then). */
export async function update(trx: Trx, client: Client, before: number): Promise<boolean> {
  return (await trx.run(updateClient, { ...toRow(client), before })) === 1;
}

const setStatus = statement<
  StatusIndex & { client_id: string; old_list: string; old_index: number; now: number }
>((sql, value) =>
  sql('clients')
    .where({ client_id: value.client_id, status_list: value.old_list, status_index: value.old_index })
    .update({
      status_list: value.status_list,
      status_index: value.status_index,
      // Always later: who writes the whole row has to read the new status first.
      updated_at: sql.raw('case when updated_at < ? then ? else updated_at + 1 end', [value.now, value.now]),
    }),
);

/** Gives the tokens that a client gets for itself another status from now on. False if they do not have this one any more. */
export async function renewStatus(
  trx: Trx,
  client_id: string,
  { before, after }: { readonly before: StatusIndex; readonly after: StatusIndex },
  now: number,
): Promise<boolean> {
  const old = { old_list: before.status_list, old_index: before.status_index };
  return (await trx.run(setStatus, { client_id, ...old, ...after, now })) === 1;
}

const deleteClient = statement<{ client_id: string }>((sql, value) =>
  sql('clients').where({ client_id: value.client_id }).delete(),
);

/** Deletes a client with all that hangs on it. False if there is none. */
export async function remove(trx: Trx, client_id: string): Promise<boolean> {
  return (await trx.run(deleteClient, { client_id })) === 1;
}

const noteUse = statement<{ client_id: string; now: number; before: number }>((sql, value) =>
  sql('clients')
    .where({ client_id: value.client_id })
    .where('last_used_at', '<', value.before)
    .update({ last_used_at: value.now }),
);

/** Notes that a client that registered itself was of use, unless that was noted after `before`. */
export async function touch(db: Db, client_id: string, now: number, before: number): Promise<void> {
  await db.run(noteUse, { client_id, now, before });
}

const registered = statement<Record<never, never>, { count: number | string }>((sql) =>
  sql('clients').whereNotNull('registration_token_hash').count('* as count'),
);

/** How many clients have registered themselves. */
export async function countRegistered(db: Queryable): Promise<number> {
  return Number((await db.first(registered, {}))?.count ?? 0);
}

const unused = statement<{ before: number }, { client_id: string }>((sql, value) =>
  sql('clients')
    .select('client_id')
    .whereNotNull('registration_token_hash')
    .where('last_used_at', '<', value.before)
    .limit(50),
);

/** Clients that registered themselves and were of no use since `before`, 50 at most. */
export async function listUnused(db: Queryable, before: number): Promise<readonly string[]> {
  return (await db.all(unused, { before })).map(({ client_id }) => client_id);
}

const deleteUnused = statement<{ client_id: string; before: number }>((sql, value) =>
  sql('clients').where({ client_id: value.client_id }).where('last_used_at', '<', value.before).delete(),
);

/** Deletes one of those, as `remove` does. False if it was of use meanwhile. */
export async function removeUnused(trx: Trx, client_id: string, before: number): Promise<boolean> {
  return (await trx.run(deleteUnused, { client_id, before })) === 1;
}
