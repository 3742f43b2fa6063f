/** Table consents: what a user agreed to, per client. `approved` is a set of words: scopes, `claim:name`, `resource:uri`. */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export interface ConsentRow {
  user_id: string;
  client_id: string;
  approved: string;
  granted_at: number;
  /** The authorization request that it was last given for. */
  granted_request: string | null;
}

const byUserAndClient = statement<{ user_id: string; client_id: string }, ConsentRow>((sql, value) =>
  sql('consents').where({ user_id: value.user_id, client_id: value.client_id }),
);

export function find(db: Queryable, user_id: string, client_id: string): Promise<ConsentRow | undefined> {
  return db.first(byUserAndClient, { user_id, client_id });
}

const reserveConsent = statement<{ user_id: string; client_id: string; now: number }>((sql, value) =>
  sql('consents')
    .insert({ user_id: value.user_id, client_id: value.client_id, approved: '', granted_at: value.now })
    .onConflict(['user_id', 'client_id'])
    .ignore(),
);

const lockConsent = statement<{ user_id: string; client_id: string }, ConsentRow>((sql, value) =>
  sql('consents').where({ user_id: value.user_id, client_id: value.client_id }).forUpdate(),
);

/**
 * What was agreed to, held until the transaction ends: of two tabs that agree to different things at the same moment, the second
 * waits and adds to what the first one wrote. (SQLite has one writer, so there is nobody to wait for.)
 */
export async function lock(trx: Trx, user_id: string, client_id: string, now: number): Promise<string> {
  await trx.run(reserveConsent, { user_id, client_id, now });
  return (await trx.first(lockConsent, { user_id, client_id }))?.approved ?? '';
}

const upsertConsent = statement<ConsentRow>((sql, value) =>
  sql('consents')
    .insert({
      user_id: value.user_id,
      client_id: value.client_id,
      approved: value.approved,
      granted_at: value.granted_at,
      granted_request: value.granted_request,
    })
    .onConflict(['user_id', 'client_id'])
    .merge(['approved', 'granted_at', 'granted_request']),
);

export async function upsert(db: Db | Trx, row: ConsentRow): Promise<void> {
  await db.run(upsertConsent, row);
}

const clientsOf = statement<{ user_id: string }, { client_id: string }>((sql, value) =>
  sql('consents').select('client_id').where({ user_id: value.user_id }).whereNot('approved', ''),
);

/** The clients that a user agreed to. */
export async function listClients(db: Queryable, user_id: string): Promise<ReadonlySet<string>> {
  return new Set((await db.all(clientsOf, { user_id })).map(({ client_id }) => client_id));
}

const everyOf = statement<{ user_id: string }, ConsentRow>((sql, value) =>
  sql('consents').where({ user_id: value.user_id }).whereNot('approved', ''),
);

/** All that a user agreed to. */
export function listByUser(db: Queryable, user_id: string): Promise<ConsentRow[]> {
  return db.all(everyOf, { user_id });
}

const deleteConsent = statement<{ user_id: string; client_id: string }>((sql, value) =>
  sql('consents').where({ user_id: value.user_id, client_id: value.client_id }).delete(),
);

/** Forgets what a user agreed to. False if there was nothing. */
export async function remove(trx: Trx, user_id: string, client_id: string): Promise<boolean> {
  return (await trx.run(deleteConsent, { user_id, client_id })) === 1;
}
