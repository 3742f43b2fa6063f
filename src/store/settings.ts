/** Table settings: what an operator sets while the server runs, a JSON value for each name (branding/brand.ts). */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

interface SettingRow {
  name: string;
  value: string;
  updated_at: number;
}

const all = statement<Record<never, never>, SettingRow>((sql) => sql('settings'));

export async function list(db: Queryable): Promise<readonly SettingRow[]> {
  return db.all(all, {});
}

const upsert = statement<SettingRow>((sql, value) =>
  sql('settings')
    .insert({ name: value.name, value: value.value, updated_at: value.updated_at })
    .onConflict('name')
    .merge({ value: value.value, updated_at: value.updated_at }),
);

export async function put(trx: Trx, name: string, value: string, now: number): Promise<void> {
  await trx.run(upsert, { name, value, updated_at: now });
}

const deleteSetting = statement<{ name: string }>((sql, value) =>
  sql('settings').where({ name: value.name }).delete(),
);

export async function remove(trx: Trx, name: string): Promise<void> {
  await trx.run(deleteSetting, { name });
}
