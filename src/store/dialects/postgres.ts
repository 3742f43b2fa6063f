/**
 * PostgreSQL: a pool, named prepared statements, one transaction each. A commit is durable by the server's own
 * settings; a duplicate is `on conflict do nothing` and a row count, since any error ends the transaction.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import type { Db, Dialect } from '../db.js';
import { type Command, createDb, type Result, type Send, throwCannotOpen } from '../driver.js';

/** Compiles for every database; has no connection. */
const compiler = knex({ client: 'pg' });

export const postgres: Dialect = {
  matches: (url) => /^postgres(ql)?:\/\//.test(url),
  open: openPostgres,
  openKnex,
  // A row lock, which every engine that speaks PostgreSQL's protocol has (advisory locks are not everywhere).
  migration_lock: 'insert into knex_migration_turn (id) values (1) on conflict (id) do update set id = 1',
  claim: async () => async () => undefined, // any number of servers may be there
};

/** A knex for migrations, with the table whose one row they lock. */
async function openKnex(url: string): Promise<Knex> {
  const instance = knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  for (let tries = 1; ; tries++) {
    try {
      await instance.raw('create table if not exists knex_migration_turn (id integer primary key)');
      return instance;
    } catch (error) {
      // Processes that make it at the same moment: all but one get one of these, and then find the table.
      const raced = error instanceof pg.DatabaseError && already_there.has(error.code ?? '');
      if (raced && tries < max_tries) continue;
      await instance.destroy();
      throw error;
    }
  }
}

/** What PostgreSQL answers to the loser: a row of its catalogue, the table, or the table's row type is there already. */
const already_there: ReadonlySet<string> = new Set(['23505', '42P07', '42710']);

/** Milliseconds without an answer to a statement: the connection leads nowhere any more. `?query_timeout=` in the URL says otherwise. */
const patience_ms = 60_000;

/** How often a transaction is tried that the server gave up for reasons that may be gone the next time. */
const max_tries = 3;

/** Texts that get a name; what comes after them (queries made up per request) is parsed each time. */
const max_named = 1000;

async function openPostgres(url: string): Promise<Db> {
  const pool = new pg.Pool({
    connectionString: url,
    max: availableParallelism() + 2,
    connectionTimeoutMillis: 30_000, // the wait for a free one included
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: patience_ms,
    types,
  });
  // Without a listener the loss of a connection ends the process. The pool replaces it; a query on it rejects.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  await pool.query('select 1').catch(async (cause) => {
    await pool.end();
    const { protocol, host, pathname } = new URL(url);
    throwCannotOpen(`${protocol}//${host}${pathname}`, cause);
  });
  const names = new Map<string, string>();

  return createDb({
    engine: 'postgres',
    knex: compiler,
    send: (command) => onClient(pool, (client) => query(client, names, command)),
    transaction: (work) => onClient(pool, (client) => runTransaction(client, names, work)),
    close: () => pool.end(),
  });
}

/** int8 (and so count) as a number: ids and times here are below 2^53. Per pool; pg's own table stays as it is. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return Number;
    return pg.types.getTypeParser(oid, format);
  },
};

/** Runs `work` on a client of the pool, again if what stopped it may be gone by then. */
async function onClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const client = await pool.connect();
    try {
      const value = await work(client);
      client.release();
      return value;
    } catch (error) {
      const stale = isStale(error);
      client.release(stale || isUnanswered(error)); // the pool itself notices a connection that was closed
      const limit = stale ? pool.options.max + 1 : max_tries;
      if (tries >= limit || !(stale || isTransient(error))) throw error;
    }
  }
}

async function query(client: pg.PoolClient, names: Map<string, string>, command: Command): Promise<Result> {
  const name = nameOf(names, command.sql);
  const config = { text: command.sql, values: [...command.values] };
  const { rows, rowCount } = await client.query(name === undefined ? config : { ...config, name });
  return { rows, changes: rowCount ?? 0 };
}

/** The digest of the text: a pooler between us and the server may share connections between processes. */
function nameOf(names: Map<string, string>, sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= max_named) return known;
  const name = createHash('sha256').update(sql).digest('base64url').slice(0, 32);
  names.set(sql, name);
  return name;
}

async function runTransaction<T>(
  client: pg.PoolClient,
  names: Map<string, string>,
  work: (send: Send) => Promise<T>,
): Promise<T> {
  await client.query('begin');
  try {
    const value = await work((command) => query(client, names, command));
    const { command } = await client.query('commit');
    // The server's answer to COMMIT after an error that `work` caught: nothing was kept.
    if (command !== 'COMMIT')
      throw new Error('the transaction was rolled back: one of its statements had failed');
    return value;
  } catch (error) {
    if (!isUnanswered(error)) await client.query('rollback').catch(() => undefined); // fails only on a lost connection, which ends it too
    throw error;
  }
}

/** What pg says after `query_timeout`. The answer may still come, to nobody: such a connection is of no use. */
function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** 40001 serialization failure, 40P01 deadlock. */
function isTransient(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ['40001', '40P01'].includes(error.code ?? '');
}

/** A migration changed a table after this connection had prepared a `select *` on it. */
function isStale(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.routine === 'RevalidateCachedQuery';
}
