/** Table resources: one row for each resource server, an API that takes our access tokens (RFC 8707). */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface ResourceRow {
  /** An absolute URI: the `aud` of its tokens. */
  identifier: string;
  scope: string;
  /** The client that acts for it: it may introspect the tokens for it. */
  client_id: string | null;
  /** A JSON object: for each permission the roles that hold it. */
  permissions: string;
  /** Which claims about roles it wants in its tokens, words separated by spaces. */
  token_claims: string;
  /** How long its access tokens live, in seconds; null for the setting. */
  access_token_seconds: number | null;
  /** What they are signed with; null for RS256. */
  access_token_signing_alg: string | null;
  created_at: number;
}

const insertResource = statement<ResourceRow>((sql, value) =>
  sql('resources')
    .insert({
      identifier: value.identifier,
      scope: value.scope,
      client_id: value.client_id,
      permissions: value.permissions,
      token_claims: value.token_claims,
      access_token_seconds: value.access_token_seconds,
      access_token_signing_alg: value.access_token_signing_alg,
      created_at: value.created_at,
    })
    .onConflict('identifier')
    .ignore(),
);

/** Adds a resource server. False if it is there already. */
export async function insert(db: Db | Trx, row: ResourceRow): Promise<boolean> {
  return (await db.run(insertResource, row)) === 1;
}

const all = statement<Record<never, never>, ResourceRow>((sql) => sql('resources').orderBy('identifier'));

export function list(db: Queryable): Promise<ResourceRow[]> {
  return db.all(all, {});
}

const byIdentifier = statement<{ identifier: string }, ResourceRow>((sql, value) =>
  sql('resources').where({ identifier: value.identifier }),
);

export function find(db: Queryable, identifier: string): Promise<ResourceRow | undefined> {
  return db.first(byIdentifier, { identifier });
}

const updateResource = statement<Omit<ResourceRow, 'created_at'>>((sql, value) =>
  sql('resources').where({ identifier: value.identifier }).update({
    scope: value.scope,
    client_id: value.client_id,
    permissions: value.permissions,
    token_claims: value.token_claims,
    access_token_seconds: value.access_token_seconds,
    access_token_signing_alg: value.access_token_signing_alg,
  }),
);

export async function update(trx: Trx, row: Omit<ResourceRow, 'created_at'>): Promise<boolean> {
  return (await trx.run(updateResource, row)) === 1;
}

const deleteResource = statement<{ identifier: string }>((sql, value) =>
  sql('resources').where({ identifier: value.identifier }).delete(),
);

export async function remove(trx: Trx, identifier: string): Promise<boolean> {
  return (await trx.run(deleteResource, { identifier })) === 1;
}
