/**
 * Sessions in the application's own database, by the knex instance that it has: SQLite (3.35 or later) and PostgreSQL. knex is
 * typed by its shape, so that an app without it need not install it.
 */
import type { SessionStore, StoredSession } from './store.js';

/** As much of a query builder as is used here. */
interface Query extends PromiseLike<unknown> {
  where(columns: object): Query;
  where(column: string, operator: string, value: number): Query;
  update(columns: object): Query;
  delete(): Query;
}

interface Insertion extends PromiseLike<unknown> {
  onConflict(column: string): { ignore(): { returning(column: string): PromiseLike<unknown> } };
}

/** A knex instance, or anything of its shape. */
export interface KnexLike {
  (table: string): Query & { insert(row: object): Insertion };
  raw(sql: string): PromiseLike<unknown>;
}

export interface KnexSessionsOptions {
  /** What the names of the two tables begin with: `sign_in` unless told otherwise. */
  readonly prefix?: string;
}

/**
 * The statements that make the two tables, for a migration of the app's own. Times are whole seconds since 1970. Throws TypeError
 * for a prefix that is no plain name.
 */
export function sessionTables({ prefix = 'sign_in' }: KnexSessionsOptions = {}): readonly string[] {
  const [sessions, claims] = tableNames(prefix);
  return [
    `create table if not exists ${sessions} (digest text primary key, iss text not null, sub text not null, sid text,
      sealed text not null, version integer not null, created_at bigint not null, expires_at bigint not null)`,
    `create index if not exists ${sessions}_sid on ${sessions} (iss, sid)`,
    `create index if not exists ${sessions}_sub on ${sessions} (iss, sub)`,
    `create index if not exists ${sessions}_expires_at on ${sessions} (expires_at)`,
    `create table if not exists ${claims} (id text primary key, expires_at bigint not null)`,
    `create index if not exists ${claims}_expires_at on ${claims} (expires_at)`,
  ];
}

/** Makes the tables where they are not there yet. */
export async function createSessionTables(knex: KnexLike, options: KnexSessionsOptions = {}): Promise<void> {
  for (const sql of sessionTables(options)) await knex.raw(sql);
}

/** The store. Throws TypeError for a prefix that is no plain name. Its tables must be there. Rows that expired are deleted at the next sign-in of anybody. */
export function knexSessions(knex: KnexLike, { prefix = 'sign_in' }: KnexSessionsOptions = {}): SessionStore {
  const names = tableNames(prefix);
  const [sessions, claims] = [() => knex(names[0]), () => knex(names[1])];
  const removeWhere = async (columns: object) => Number(await sessions().where(columns).delete());

  return {
    async insert(session) {
      await sessions().where('expires_at', '<=', session.created_at).delete();
      await claims().where('expires_at', '<=', session.created_at).delete();
      await sessions().insert(session);
    },
    async find(digest, now) {
      const rows = await sessions().where({ digest }).where('expires_at', '>', now);
      const [row] = rows as readonly StoredSession[];
      return row && readRow(row);
    },
    async replace(digest, version, sealed) {
      const changed = await sessions()
        .where({ digest, version })
        .update({ sealed, version: version + 1 });
      return changed === 1;
    },
    async remove(digest, version) {
      return (await removeWhere({ digest, ...(version !== undefined && { version }) })) > 0;
    },
    removeBySid: (iss, sid) => removeWhere({ iss, sid }),
    removeBySub: (iss, sub) => removeWhere({ iss, sub }),
    async claim(key, expires_at, now) {
      await claims().where({ id: key }).where('expires_at', '<=', now).delete();
      const added = await claims().insert({ id: key, expires_at }).onConflict('id').ignore().returning('id');
      return (added as readonly unknown[]).length === 1;
    },
  };
}

function tableNames(prefix: string): readonly [string, string] {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(prefix)) throw new TypeError(`${prefix} is no prefix for a table.`);
  return [`${prefix}_sessions`, `${prefix}_claims`];
}

/** A bigint comes from PostgreSQL as text. */
function readRow(row: StoredSession): StoredSession {
  return { ...row, created_at: Number(row.created_at), expires_at: Number(row.expires_at) };
}
