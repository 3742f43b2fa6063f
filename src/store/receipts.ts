/** Table receipts: one row each time a person was signed out everywhere. What every application answered is in the outbox. */
import type { Queryable, Trx } from './db.js';
import { keep_seconds } from './outbox.js';
import { statement } from './statement.js';

export interface ReceiptRow {
  /** Also the receipt_id of its messages. */
  id: string;
  user_id: string;
  /** How many sessions ended. */
  sessions: number;
  created_at: number;
  expires_at: number;
}

const insertReceipt = statement<ReceiptRow>((sql, value) =>
  sql('receipts').insert({
    id: value.id,
    user_id: value.user_id,
    sessions: value.sessions,
    created_at: value.created_at,
    expires_at: value.expires_at,
  }),
);

export async function insert(trx: Trx, row: Omit<ReceiptRow, 'expires_at'>): Promise<void> {
  await trx.run(insertReceipt, { ...row, expires_at: row.created_at + keep_seconds });
}

const byId = statement<{ id: string }, ReceiptRow>((sql, value) => sql('receipts').where({ id: value.id }));

export function find(db: Queryable, id: string): Promise<ReceiptRow | undefined> {
  return db.first(byId, { id });
}
