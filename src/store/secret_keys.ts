/** Table secret_keys: symmetric keys of 256 bits, wrapped like signing keys, one purpose each (decisions 9). */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

/**
 * seal: pending requests; csrf: form tokens; refresh: the MAC of refresh tokens; device: the cookie of a known browser; client_secret:
 * secrets that must be known to verify a MAC, or to be told to another provider; factor: keys of authenticator apps, MACs of recovery
 * codes; pairwise: the salt of pairwise subjects; outbox: messages that wait to leave.
 */
export const purposes = [
  'seal',
  'csrf',
  'refresh',
  'device',
  'client_secret',
  'factor',
  'pairwise',
  'outbox',
] as const;
export type Purpose = (typeof purposes)[number];

export interface SecretKeyRow {
  id: string;
  purpose: Purpose;
  key_wrapped: string;
  created_at: number;
  /** From when on it no longer opens anything; null while it is the newest of its purpose. */
  expires_at: number | null;
}

const insertKey = statement<SecretKeyRow>((sql, value) =>
  sql('secret_keys').insert({
    id: value.id,
    purpose: value.purpose,
    key_wrapped: value.key_wrapped,
    created_at: value.created_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(db: Db | Trx, row: SecretKeyRow): Promise<void> {
  await db.run(insertKey, row);
}

const all = statement<Record<never, never>, SecretKeyRow>((sql) =>
  sql('secret_keys').orderBy('created_at', 'desc').orderBy('id'),
);

/** All keys, the newest first. */
export function list(db: Queryable): Promise<SecretKeyRow[]> {
  return db.all(all, {});
}

const setEnd = statement<{ id: string; expires_at: number }>((sql, value) =>
  sql('secret_keys').where({ id: value.id }).whereNull('expires_at').update({ expires_at: value.expires_at }),
);

export async function expire(trx: Trx, id: string, expires_at: number): Promise<void> {
  await trx.run(setEnd, { id, expires_at });
}

const setWrapped = statement<{ id: string; key_wrapped: string }>((sql, value) =>
  sql('secret_keys').where({ id: value.id }).update({ key_wrapped: value.key_wrapped }),
);

export async function rewrap(trx: Trx, id: string, key_wrapped: string): Promise<void> {
  await trx.run(setWrapped, { id, key_wrapped });
}
