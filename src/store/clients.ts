/** Table clients: one row for each relying application. Its metadata is one JSON object, read whole and never searched. */
import { type ClientMetadata, fromStored } from '../oauth/client_metadata.js';
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

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
}

function fromRow(row: ClientRow): Client {
  const { metadata, backchannel_logout_uri, ...columns } = row;
  return { ...fromStored(JSON.parse(metadata)), ...columns }; // written by toRow, from parsed metadata
}

function toRow(client: Client): ClientRow {
  const { client_id, client_secret_hash, created_at, updated_at, disabled_at, ...rest } = client;
  const { status_list, status_index, client_secret_sealed, ...metadata } = rest;
  return {
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

export async function find(db: Queryable, client_id: string): Promise<Client | undefined> {
  const row = await db.first(byId, { client_id });
  return row && fromRow(row);
}

const all = statement<Record<never, never>, ClientRow>((sql) =>
  sql('clients').orderBy('client_name').orderBy('client_id'),
);

export async function list(db: Queryable): Promise<Client[]> {
  return (await db.all(all, {})).map(fromRow);
}

const updateClient = statement<Omit<ClientRow, 'created_at'> & { before: number }>((sql, value) =>
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

const deleteClient = statement<{ client_id: string }>((sql, value) =>
  sql('clients').where({ client_id: value.client_id }).delete(),
);

/** Deletes a client with all that hangs on it. False if there is none. */
export async function remove(trx: Trx, client_id: string): Promise<boolean> {
  return (await trx.run(deleteClient, { client_id })) === 1;
}
