/** Table signing_keys: key pairs that sign tokens, and those that others encrypt to, the private part wrapped under the master key, with the times of their life. */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface SigningKeyRow {
  /** The key's SHA-256 thumbprint (RFC 7638). */
  kid: string;
  /** One algorithm of oauth/algorithms.ts: what the key is for follows from it. */
  alg: string;
  public_jwk: string;
  private_key_wrapped: string;
  created_at: number;
  /** From when on it signs. It is published from `created_at` on. */
  active_at: number;
  /** From when on it no longer signs. */
  retired_at: number | null;
  /** From when on it is published no more: the last token it signed has expired. */
  expires_at: number | null;
}

const insertKey = statement<SigningKeyRow>((sql, value) =>
  sql('signing_keys').insert({
    kid: value.kid,
    alg: value.alg,
    public_jwk: value.public_jwk,
    private_key_wrapped: value.private_key_wrapped,
    created_at: value.created_at,
    active_at: value.active_at,
    retired_at: value.retired_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(db: Db | Trx, row: SigningKeyRow): Promise<void> {
  await db.run(insertKey, row);
}

const all = statement<Record<never, never>, SigningKeyRow>((sql) => sql('signing_keys').orderBy('active_at'));

export function list(db: Queryable): Promise<SigningKeyRow[]> {
  return db.all(all, {});
}

const setEnd = statement<{ kid: string; retired_at: number | null; expires_at: number | null }>(
  (sql, value) =>
    sql('signing_keys')
      .where({ kid: value.kid })
      .update({ retired_at: value.retired_at, expires_at: value.expires_at }),
);

/** Sets when a key stops to sign and to be published; null for one that no other follows. */
export async function end(
  trx: Trx,
  kid: string,
  retired_at: number | null,
  expires_at: number | null,
): Promise<void> {
  await trx.run(setEnd, { kid, retired_at, expires_at });
}

const setWrapped = statement<{ kid: string; private_key_wrapped: string }>((sql, value) =>
  sql('signing_keys').where({ kid: value.kid }).update({ private_key_wrapped: value.private_key_wrapped }),
);

export async function rewrap(trx: Trx, kid: string, private_key_wrapped: string): Promise<void> {
  await trx.run(setWrapped, { kid, private_key_wrapped });
}

const deleteGone = statement<{ before: number }>((sql, value) =>
  sql('signing_keys').where('expires_at', '<', value.before).delete(),
);

/** Deletes keys that are published no more since before `before`. */
export function removeGone(db: Db | Trx, before: number): Promise<number> {
  return db.run(deleteGone, { before });
}

const deleteKey = statement<{ kid: string }>((sql, value) =>
  sql('signing_keys').where({ kid: value.kid }).delete(),
);

/** Takes a key out altogether: what it signed verifies no more. False if there is none. */
export async function remove(trx: Trx, kid: string): Promise<boolean> {
  return (await trx.run(deleteKey, { kid })) === 1;
}
