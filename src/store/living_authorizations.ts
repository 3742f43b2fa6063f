/** What a user gave to clients and still lives, with what its codes and refresh tokens tell of it. Reads alone; see authorizations.ts. */
import type { Knex } from 'knex';
import type { Queryable } from './db.js';
import { statement } from './statement.js';

/** An authorization, once for each scope that its codes and refresh tokens have; once, without a scope, where it has none of these. */
export interface LivingAuthorization {
  client_id: string;
  /** The session whose end ends it; '' for offline_access. */
  session_id: string;
  created_at: number;
  scope: string | null;
  /** When a code or a refresh token with this scope was last used. */
  used_at: number | null;
}

type Values = { user_id: string; now: number };

function living(sql: Knex, value: Readonly<Values>): Knex.QueryBuilder {
  return sql('authorizations')
    .select('authorizations.client_id', 'authorizations.session_id', 'authorizations.created_at')
    .where('authorizations.user_id', value.user_id)
    .whereNull('authorizations.revoked_at')
    .where('authorizations.expires_at', '>', value.now);
}

const withTokens = statement<Values, LivingAuthorization>((sql, value) =>
  living(sql, value)
    .leftJoin('refresh_tokens', (on) =>
      on.on('refresh_tokens.authorization_id', 'authorizations.id').onNull('refresh_tokens.revoked_at'),
    )
    .select('refresh_tokens.scope')
    .max({ used_at: sql.raw('coalesce(refresh_tokens.rotated_at, refresh_tokens.created_at)') })
    .groupBy('authorizations.id', 'refresh_tokens.scope'),
);

const withCodes = statement<Values, LivingAuthorization>((sql, value) =>
  living(sql, value)
    .join('authorization_codes', 'authorization_codes.authorization_id', 'authorizations.id')
    .select('authorization_codes.scope')
    .max({ used_at: 'authorization_codes.consumed_at' })
    .groupBy('authorizations.id', 'authorization_codes.scope'),
);

/** All that a user gave to clients. */
export async function listByUser(
  db: Queryable,
  user_id: string,
  now: number,
): Promise<readonly LivingAuthorization[]> {
  const values = { user_id, now };
  return (await Promise.all([db.all(withTokens, values), db.all(withCodes, values)])).flat();
}
