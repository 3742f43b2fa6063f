/**
 * Table authorization_codes: one row for each code given to a client (RFC 6749 §4.1.2). A row holds the SHA-256 of its code,
 * never the code. It stays until `keep_until`, when no token of it can live any more: until then a second use is a replay.
 */
import type { Knex } from 'knex';
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface AuthorizationCodeRow {
  code_hash: string;
  /** Shared by all that one approval led to, so that one revocation reaches all of it. */
  authorization_id: string;
  client_id: string;
  user_id: string;
  redirect_uri: string;
  scope: string;
  /** What was asked for beside it and left out. */
  ignored_scope: string;
  /** The resources it was given for, separated by spaces. */
  resource: string;
  /** The claims request as JSON, if there was one. */
  claims: string | null;
  nonce: string | null;
  code_challenge: string | null;
  auth_time: number;
  amr: string;
  acr: string;
  sid: string;
  expires_at: number;
  consumed_at: number | null;
  keep_until: number;
}

const insertCode = statement<AuthorizationCodeRow>((sql, value) =>
  sql('authorization_codes').insert({
    code_hash: value.code_hash,
    authorization_id: value.authorization_id,
    client_id: value.client_id,
    user_id: value.user_id,
    redirect_uri: value.redirect_uri,
    scope: value.scope,
    ignored_scope: value.ignored_scope,
    resource: value.resource,
    claims: value.claims,
    nonce: value.nonce,
    code_challenge: value.code_challenge,
    auth_time: value.auth_time,
    amr: value.amr,
    acr: value.acr,
    sid: value.sid,
    expires_at: value.expires_at,
    consumed_at: value.consumed_at,
    keep_until: value.keep_until,
  }),
);

export async function insert(trx: Trx, row: AuthorizationCodeRow): Promise<void> {
  await trx.append(insertCode, row);
}

/** A code with the state of what it hangs on. */
export interface FoundCode extends AuthorizationCodeRow {
  authorization_revoked_at: number | null;
  authorization_expires_at: number;
  status_list: string | null;
  status_index: number | null;
  user_disabled_at: number | null;
  client_disabled_at: number | null;
  /** The session it was given out in, null if that has ended. */
  living_sid: string | null;
}

/** Selected beside a code, or returned by its update: one statement for all that a redemption must know. */
const state = (sql: Knex) => [
  sql.raw(
    '(select revoked_at from authorizations where id = authorization_codes.authorization_id) as authorization_revoked_at',
  ),
  sql.raw(
    '(select expires_at from authorizations where id = authorization_codes.authorization_id) as authorization_expires_at',
  ),
  sql.raw(
    '(select status_list from authorizations where id = authorization_codes.authorization_id) as status_list',
  ),
  sql.raw(
    '(select status_index from authorizations where id = authorization_codes.authorization_id) as status_index',
  ),
  sql.raw('(select disabled_at from users where id = authorization_codes.user_id) as user_disabled_at'),
  sql.raw(
    '(select disabled_at from clients where client_id = authorization_codes.client_id) as client_disabled_at',
  ),
  sql.raw('(select id from sessions where id = authorization_codes.sid) as living_sid'),
];

const byHash = statement<{ code_hash: string }, FoundCode>((sql, value) =>
  sql('authorization_codes')
    .select('*', ...state(sql))
    .where({ code_hash: value.code_hash }),
);

export function find(db: Queryable, code_hash: string): Promise<FoundCode | undefined> {
  return db.first(byHash, { code_hash });
}

const consumeCode = statement<{ code_hash: string; now: number; keep_until: number }, FoundCode>(
  (sql, value) =>
    sql('authorization_codes')
      .where({ code_hash: value.code_hash })
      .whereNull('consumed_at')
      .update({ consumed_at: value.now, keep_until: value.keep_until })
      .returning(['*', ...state(sql)]),
  {
    build: (sql, value) =>
      sql.raw(
        `update authorization_codes set consumed_at = each.now, keep_until = each.keep_until
        from (select value ->> 'code_hash' as code_hash, value ->> 'now' as now, value ->> 'keep_until' as keep_until
          from json_each(?)) as each
        where authorization_codes.code_hash = each.code_hash and consumed_at is null
        returning *, ?, ?, ?, ?, ?, ?, ?`,
        [value.rows, ...state(sql)],
      ),
    keyOf: ({ code_hash }) => code_hash,
  },
);

/**
 * Marks the code as used and gives it. Undefined if there is none, or a request before this one has used it: the condition and the
 * write are one statement, so of two requests at the same moment one gets it, on any engine. `keep_until` is when the last
 * token of it will have expired.
 */
export function consume(
  trx: Trx,
  code_hash: string,
  keep_until: number,
  now: number,
): Promise<FoundCode | undefined> {
  return trx.first(consumeCode, { code_hash, now, keep_until });
}
