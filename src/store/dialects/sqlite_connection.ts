/** One connection to an SQLite file: npm sqlite3 with promises, pragmas set, statements prepared once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import sqlite3 from 'sqlite3';
import { type Result, throwCannotOpen } from '../driver.js';
import type { SqlValue } from '../statement.js';

/**
 * The caller has at most one statement in flight: more would only wait for the connection's mutex inside pool
 * threads, and npm sqlite3 does not order them.
 */
export interface SqliteConnection {
  all(sql: string, values: readonly SqlValue[]): Promise<Result>;
  /** For a statement that gives rows all the same (`returning`), their number. */
  run(sql: string, values?: readonly SqlValue[]): Promise<Result>;
  close(): Promise<void>;
}

/** The pragmas of every connection, knex's for migrations included. */
export const pragmas = [
  'pragma busy_timeout = 5000',
  'pragma synchronous = full',
  'pragma foreign_keys = on',
  'pragma temp_store = memory',
] as const;

/** Prepared statements kept per connection; one that was used least recently is prepared anew when it comes again. */
const max_prepared = 500;

/** Opens a connection. A reader refuses to write. Throws a sentence that names the file if it is no database. */
export async function openConnection(path: string, role: 'reader' | 'writer'): Promise<SqliteConnection> {
  const database = await openDatabase(path).catch((cause) => throwCannotOpen(path, cause));
  try {
    await exec(database, pragmas.join(';'));
    await setWal(database);
    if (role === 'reader') await exec(database, 'pragma query_only = on');
  } catch (cause) {
    await closeDatabase(database);
    throwCannotOpen(path, cause);
  }

  const prepared = new LRUCache<string, sqlite3.Statement>({
    max: max_prepared,
    dispose: (statement) => statement.finalize(),
  });

  async function prepare(sql: string): Promise<sqlite3.Statement> {
    const found = prepared.get(sql);
    if (found) return found;
    const statement = await prepareStatement(database, sql);
    prepared.set(sql, statement);
    return statement;
  }

  return {
    all: async (sql, values) => stepAll(await prepare(sql), values),
    async run(sql, values = []) {
      const statement = await prepare(sql);
      if (!givesRows(sql)) return stepRun(statement, values);
      const { rows } = await stepAll(statement, values);
      return { rows, changes: rows.length };
    },
    close: () => {
      prepared.clear();
      return closeDatabase(database);
    },
  };
}

/** Holds SQLite's own lock on a file until the function it gives is called. Throws with `SQLITE_BUSY` where another holds it. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const database = await openDatabase(path);
  try {
    await exec(database, 'pragma busy_timeout = 0; begin exclusive');
  } catch (error) {
    await closeDatabase(database);
    throw error;
  }
  return () => closeDatabase(database);
}

/** Whether SQLite failed for this reason. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function openDatabase(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const mode = sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE;
    const database = new sqlite3.Database(path, mode, (error) => (error ? reject(error) : resolve(database)));
  });
}

/** WAL stays in the file once set. Setting it does not heed busy_timeout while another process sets it too. */
async function setWal(database: sqlite3.Database): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await exec(database, 'pragma journal_mode = wal');
    } catch (error) {
      if (tries === 100 || !hasCode(error, 'SQLITE_BUSY')) throw error;
      await sleep(50);
    }
  }
}

function exec(database: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    database.exec(sql, (error) => (error ? reject(error) : resolve()));
  });
}

function prepareStatement(database: sqlite3.Database, sql: string): Promise<sqlite3.Statement> {
  return new Promise((resolve, reject) => {
    const statement = database.prepare(sql, (error) => (error ? reject(error) : resolve(statement)));
  });
}

/** Such a statement must be stepped to its end: after `.get()` or `.run()` it stays open, and COMMIT fails. */
function givesRows(sql: string): boolean {
  return /\breturning\b|^\s*(pragma|select|with|values)\b/i.test(sql);
}

function stepAll(statement: sqlite3.Statement, values: readonly SqlValue[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    statement.all(values, (error, rows) => (error ? reject(error) : resolve({ rows, changes: 0 })));
  });
}

function stepRun(statement: sqlite3.Statement, values: readonly SqlValue[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    statement.run(values, function (error) {
      if (error) reject(error);
      else resolve({ rows: [], changes: this.changes });
    });
  });
}

function closeDatabase(database: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    database.close((error) => (error ? reject(error) : resolve()));
  });
}
