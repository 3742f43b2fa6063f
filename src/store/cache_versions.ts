/** Table cache_versions: a counter for what processes keep in memory. Who changes a client, key or resource raises it. */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export type Cached = 'clients' | 'identity_providers' | 'keys' | 'resources' | 'settings';

const raise = statement<{ name: Cached }>((sql, value) =>
  sql('cache_versions').where({ name: value.name }).increment('version', 1),
);

/** Makes every process read this kind anew, within a second. Part of the transaction that changes it. */
export async function bump(trx: Trx, name: Cached): Promise<void> {
  await trx.run(raise, { name });
}

const all = statement<Record<never, never>, { name: Cached; version: number }>((sql) =>
  sql('cache_versions'),
);

export async function read(db: Queryable): Promise<ReadonlyMap<Cached, number>> {
  return new Map((await db.all(all, {})).map(({ name, version }) => [name, version]));
}
