/**
 * Table refresh_tokens: one row for each family (decisions 8), rotated in place. It holds the generation and the SHA-256 of the
 * current token and, for the grace window, the successor sealed under a key that only the replaced token gives.
 */
import type { Knex } from 'knex';
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface RefreshTokenRow {
  id: string;
  authorization_id: string;
  client_id: string;
  user_id: string;
  scope: string;
  /** What was asked for beside it and left out. */
  ignored_scope: string;
  resource: string;
  claims: string | null;
  auth_time: number;
  amr: string;
  acr: string;
  sid: string;
  generation: number;
  token_hash: string;
  successor_sealed: string | null;
  rotated_at: number | null;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
}

const insertFamily = statement<RefreshTokenRow>((sql, value) =>
  sql('refresh_tokens').insert({
    id: value.id,
    authorization_id: value.authorization_id,
    client_id: value.client_id,
    user_id: value.user_id,
    scope: value.scope,
    ignored_scope: value.ignored_scope,
    resource: value.resource,
    claims: value.claims,
    auth_time: value.auth_time,
    amr: value.amr,
    acr: value.acr,
    sid: value.sid,
    generation: value.generation,
    token_hash: value.token_hash,
    successor_sealed: value.successor_sealed,
    rotated_at: value.rotated_at,
    created_at: value.created_at,
    expires_at: value.expires_at,
    revoked_at: value.revoked_at,
  }),
);

export async function insert(trx: Trx, row: RefreshTokenRow): Promise<void> {
  await trx.append(insertFamily, row);
}

/** A family with the state of what it hangs on. */
export interface FoundFamily extends RefreshTokenRow {
  authorization_revoked_at: number | null;
  status_list: string | null;
  status_index: number | null;
  user_disabled_at: number | null;
  client_disabled_at: number | null;
  /** The session it is bound to; '' for offline_access. */
  session_id: string;
  /** When that session ends by itself; null if it is gone. */
  session_expires_at: number | null;
  session_last_seen_at: number | null;
}

/** Selected beside a family, or returned by its update: one statement for all that a refresh must know. */
const state = (sql: Knex) => [
  sql.raw(
    '(select revoked_at from authorizations where id = refresh_tokens.authorization_id) as authorization_revoked_at',
  ),
  sql.raw(
    '(select status_list from authorizations where id = refresh_tokens.authorization_id) as status_list',
  ),
  sql.raw(
    '(select status_index from authorizations where id = refresh_tokens.authorization_id) as status_index',
  ),
  sql.raw('(select disabled_at from users where id = refresh_tokens.user_id) as user_disabled_at'),
  sql.raw(
    '(select disabled_at from clients where client_id = refresh_tokens.client_id) as client_disabled_at',
  ),
  sql.raw('(select session_id from authorizations where id = refresh_tokens.authorization_id) as session_id'),
  sql.raw(`(select sessions.expires_at from authorizations join sessions on sessions.id = authorizations.session_id
    where authorizations.id = refresh_tokens.authorization_id) as session_expires_at`),
  sql.raw(`(select sessions.last_seen_at from authorizations join sessions on sessions.id = authorizations.session_id
    where authorizations.id = refresh_tokens.authorization_id) as session_last_seen_at`),
];

const byId = statement<{ id: string }, FoundFamily>((sql, value) =>
  sql('refresh_tokens')
    .select('*', ...state(sql))
    .where({ id: value.id }),
);

export function find(db: Queryable, id: string): Promise<FoundFamily | undefined> {
  return db.first(byId, { id });
}

export interface Rotation {
  id: string;
  /** The digest of the token that is replaced. */
  before: string;
  generation: number;
  token_hash: string;
  successor_sealed: string;
  now: number;
}

const rotateFamily = statement<Rotation, FoundFamily>(
  (sql, value) =>
    sql('refresh_tokens')
      .where({ id: value.id, token_hash: value.before })
      .whereNull('revoked_at')
      .update({
        generation: value.generation,
        token_hash: value.token_hash,
        successor_sealed: value.successor_sealed,
        rotated_at: value.now,
      })
      .returning(['*', ...state(sql)]),
  {
    build: (sql, value) =>
      sql.raw(
        `update refresh_tokens set generation = each.generation, token_hash = each.token_hash,
          successor_sealed = each.successor_sealed, rotated_at = each.now
        from (select value ->> 'id' as id, value ->> 'before' as before, value ->> 'generation' as generation,
          value ->> 'token_hash' as token_hash, value ->> 'successor_sealed' as successor_sealed, value ->> 'now' as now
          from json_each(?)) as each
        where refresh_tokens.id = each.id and refresh_tokens.token_hash = each.before and revoked_at is null
        returning *, ?, ?, ?, ?, ?, ?, ?, ?`,
        [value.rows, ...state(sql)],
      ),
    keyOf: ({ id }) => id,
  },
);

/**
 * Puts the successor in the place of the token with the digest `before` and gives the family as it is now. Undefined if that is not
 * its current token, or it has ended: of two requests at the same moment one wins.
 */
export function rotate(trx: Trx, rotation: Rotation): Promise<FoundFamily | undefined> {
  return trx.first(rotateFamily, rotation);
}

const revokeFamily = statement<{ id: string; now: number }>((sql, value) =>
  sql('refresh_tokens')
    .where({ id: value.id })
    .whereNull('revoked_at')
    .update({ revoked_at: value.now, successor_sealed: null }),
);

/** Ends a family. False if it had ended before. */
export async function revoke(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await trx.run(revokeFamily, { id, now })) === 1;
}
