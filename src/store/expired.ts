/** What the janitor deletes: rows of every short-lived table whose end has passed, in small batches. Sessions are actions/sessions.ts's. */
import type { Db } from './db.js';
import { statement } from './statement.js';

export const batch = 500;

const shortLived = [
  { table: 'attempts', key: 'key_hash', end: 'expires_at' },
  { table: 'assertion_ids', key: 'id_hash', end: 'expires_at' },
  { table: 'pushed_requests', key: 'reference_hash', end: 'expires_at' },
  { table: 'authorization_codes', key: 'code_hash', end: 'keep_until' },
  { table: 'refresh_tokens', key: 'id', end: 'expires_at' },
  { table: 'authorizations', key: 'id', end: 'expires_at' },
  { table: 'status_revocations', key: 'id', end: 'expires_at' },
  { table: 'events', key: 'id', end: 'expires_at' },
  { table: 'outbox', key: 'id', end: 'expires_at' },
  { table: 'mail_links', key: 'token_hash', end: 'expires_at' },
  { table: 'mails', key: 'id', end: 'expires_at' },
  { table: 'receipts', key: 'id', end: 'expires_at' },
  { table: 'registration_tokens', key: 'id', end: 'expires_at' },
  { table: 'sign_ins', key: 'id', end: 'expires_at' },
  { table: 'remembered_devices', key: 'id', end: 'expires_at' },
  { table: 'secret_keys', key: 'id', end: 'expires_at' },
] as const;

const deletions = shortLived.map(({ table, key, end }) =>
  statement<{ before: number }>((sql, value) =>
    sql(table)
      .whereIn(key, sql(table).select(key).where(end, '<', value.before).limit(batch))
      .delete(),
  ),
);

/** Seconds that a row outlives its end, so that clocks that differ a little do no harm. */
export const grace_seconds = 60;

/** Deletes at most 500 expired rows of each table. Returns whether there may be more. */
export async function deleteExpired(
  db: Db,
  now: number,
): Promise<{ readonly deleted: number; readonly more: boolean }> {
  let deleted = 0;
  let more = false;
  for (const deletion of deletions) {
    const rows = await db.run(deletion, { before: now - grace_seconds });
    deleted += rows;
    more ||= rows === batch;
  }
  return { deleted, more };
}
