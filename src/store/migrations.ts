/**
 * Migrations: the files of the top-level folder migrations/, run by knex, each known by its name without extension
 * so that source and build agree. All that is pending is applied, or undone, in one transaction.
 */
import { readdir } from 'node:fs/promises';
import type { Knex } from 'knex';
import { type Db, dialectOf, openDb } from './db.js';
import { statement } from './statement.js';

export interface MigrationStatus {
  readonly name: string;
  readonly applied: boolean;
}

const folder = new URL('../../migrations/', import.meta.url); // the same from src/store and from dist/store
const table = 'knex_migrations';

/** Every migration in its order. One that is applied but has no file here (a newer server ran it) is in the list. */
export async function migrationStatus(url: string): Promise<MigrationStatus[]> {
  const db = await openDb(url);
  try {
    const [files, applied] = [await migrationNames(), await appliedNames(db)];
    const names = [...new Set([...files, ...applied])].sort();
    return names.map((name) => ({ name, applied: applied.has(name) }));
  } finally {
    await db.close();
  }
}

/** Names of the migrations that are still to be applied, and of those that a newer server applied. Two short reads: for every start. */
export async function compareMigrations(db: Db): Promise<{ pending: string[]; newer: string[] }> {
  const [files, applied] = [await migrationNames(), await appliedNames(db)];
  return {
    pending: files.filter((name) => !applied.has(name)),
    newer: [...applied].filter((name) => !files.includes(name)).sort(),
  };
}

/** Applies what is pending and gives its names. If another process is at it, waits, and finds nothing to do. */
export async function migrateUp(url: string): Promise<string[]> {
  return migrate(url, (trx) => trx.migrate.latest({ migrationSource, tableName: table }));
}

/** Undoes the one that was applied last, and gives its name; an empty list where there is none. */
export async function migrateDown(url: string): Promise<string[]> {
  return migrate(url, (trx) => trx.migrate.down({ migrationSource, tableName: table }));
}

/**
 * Runs knex's migrator inside one transaction that holds the engine's migration lock from its first statement. So
 * knex's own lock, and the making of its tables, are never contended.
 */
async function migrate(url: string, run: (trx: Knex.Transaction) => Promise<unknown>): Promise<string[]> {
  const dialect = dialectOf(url);
  const knex = await dialect.openKnex(url);
  try {
    const result = await knex.transaction(async (trx) => {
      await trx.raw(dialect.migration_lock);
      return run(trx);
    });
    const [, names] = result as [batch: number, names: string[]]; // what knex's latest and down give
    return names;
  } finally {
    await knex.destroy();
  }
}

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: migrationNames,
  getMigrationName: (name) => name,
  getMigration: (name) => import(new URL(`${name}.js`, folder).href),
};

async function migrationNames(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort();
}

const hasTable = {
  sqlite: statement<object, { found: number }>((sql) =>
    sql('sqlite_master').where({ type: 'table', name: table }).select(sql.raw('1 as found')),
  ),
  postgres: statement<object, { found: number }>((sql) =>
    sql.raw('select 1 as found where to_regclass(?) is not null', [table]),
  ),
};

const findApplied = statement<object, { name: string }>((sql) => sql(table).select('name'));

async function appliedNames(db: Db): Promise<ReadonlySet<string>> {
  const found = await db.first(hasTable[db.engine], {});
  const rows = found ? await db.all(findApplied, {}) : [];
  return new Set(rows.map((row) => row.name));
}
