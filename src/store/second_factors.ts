/** The second factors of a person, from the tables that hold them: authenticator apps and passkeys. */
import type { Queryable } from './db.js';
import { statement } from './statement.js';

export interface SecondFactor {
  id: string;
  type: 'totp' | 'passkey';
  name: string;
  created_at: number;
  last_used_at: number | null;
}

const ofUser = statement<{ user_id: string }, SecondFactor>((sql, value) =>
  sql.raw(
    `select id, type, coalesce(name, '') as name, created_at, last_used_at from credentials where user_id = ? and type = 'totp'
    union all select id, 'passkey', name, created_at, last_used_at from passkeys where user_id = ? order by created_at, id`,
    [value.user_id, value.user_id],
  ),
);

/** All of them, the oldest first. Recovery codes are none: they stand in for one. */
export function list(db: Queryable, user_id: string): Promise<SecondFactor[]> {
  return db.all(ofUser, { user_id });
}
