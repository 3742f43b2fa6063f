/**
 * SQLite: one file, one writer connection with group commit (sqlite_writer.ts), and readers that each see the last
 * commit. For exactly one process: two writers wait for each other for seconds (performance §5).
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import knex, { type Knex } from 'knex';
import type { Dialect } from '../db.js';
import { createDb, type Send, throwCannotOpen } from '../driver.js';
import { hasCode, lockFile, openConnection, pragmas, type SqliteConnection } from './sqlite_connection.js';
import { openWriter } from './sqlite_writer.js';

const readers_by_default = 2;

/** Compiles for every file; has no connection. */
const compiler = knex({ client: 'sqlite3', useNullAsDefault: true });

export const sqlite: Dialect = {
  matches: (url) => url.startsWith('sqlite:'),
  open: (url) => openSqlite(url),
  openKnex,
  // A write that changes nothing, first in its transaction: it waits for the write lock and keeps it.
  migration_lock: 'pragma user_version = 0',
  claim: claimFile,
};

/** A lock on a file beside the database, which the system takes back from a process that is gone. */
async function claimFile(url: string): Promise<() => Promise<void>> {
  const path = await ensureFile(url);
  try {
    return await lockFile(await ensureFile(`${url}.lock`));
  } catch (error) {
    if (!hasCode(error, 'SQLITE_BUSY')) throw error;
    throw new Error(`another server runs on ${path}: SQLite is for one alone, PostgreSQL for any number`, {
      cause: error,
    });
  }
}

/** Opens the file of the URL, made (0600, its folder 0700) if it is not there. */
export async function openSqlite(url: string, readers = readers_by_default) {
  const path = await ensureFile(url);
  const writer_connection = await openConnection(path, 'writer');
  const reader_connections: SqliteConnection[] = [];
  while (reader_connections.length < readers) reader_connections.push(await openConnection(path, 'reader'));

  const writer = openWriter(writer_connection);
  const read = openReaders(reader_connections);
  return createDb({
    engine: 'sqlite',
    knex: compiler,
    send: (command, want) => (want === 'all' ? read(command, want) : writer.run(command)),
    transaction: writer.transaction,
    async close() {
      for (const connection of reader_connections) await connection.close();
      await writer_connection.close(); // last, so that it can move the log into the file
    },
  });
}

/** Sends each read on an idle connection; the reads that find none wait in line. */
function openReaders(connections: readonly SqliteConnection[]): Send {
  const idle = [...connections];
  const waiting: ((connection: SqliteConnection) => void)[] = [];

  function giveBack(connection: SqliteConnection): void {
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  }

  return async ({ sql, values }) => {
    const connection =
      idle.pop() ?? (await new Promise<SqliteConnection>((resolve) => waiting.push(resolve)));
    try {
      return await connection.all(sql, values);
    } finally {
      giveBack(connection);
    }
  };
}

/** knex with the pragmas of all connections. It waits longer for the lock: another process may be migrating. */
async function openKnex(url: string): Promise<Knex> {
  const filename = await ensureFile(url);
  const connection = await openConnection(filename, 'writer'); // sets WAL, which cannot be set in a transaction
  await connection.close();
  return knex({
    client: 'sqlite3',
    useNullAsDefault: true,
    connection: { filename },
    pool: { min: 1, max: 1, afterCreate: setPragmas },
  });
}

interface RawConnection {
  exec(sql: string, callback: (error: Error | null) => void): void;
}

function setPragmas(raw: RawConnection, done: (error: Error | null, raw: RawConnection) => void): void {
  raw.exec([...pragmas, 'pragma busy_timeout = 60000'].join(';'), (error) => done(error, raw));
}

/** The file a URL names, made if it is not there. Throws a sentence for the operator if it names none. */
async function ensureFile(url: string): Promise<string> {
  const name = url.slice('sqlite:'.length);
  if (name === '' || name.startsWith(':') || /^\/\/[^/]/.test(name)) {
    throw new Error(`"${url}" names no file: use sqlite:path/to/file.sqlite or sqlite:/absolute/path.sqlite`);
  }
  const path = resolve(name);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, 'a', 0o600);
    await file.close();
  } catch (cause) {
    throwCannotOpen(path, cause);
  }
  return path;
}
