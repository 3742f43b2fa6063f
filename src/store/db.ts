/**
 * The database as the rest of the server sees it: statements with named values, and transactions. Which engine is
 * behind it follows from the URL alone; the engines are in dialects/, one file each.
 */
import type { Knex } from 'knex';
import * as dialects from './dialects/index.js';
import type { Statement } from './statement.js';

/** Tells a Db and a Trx apart, so that atomicity is in the signature of a store's function. */
export const kind: unique symbol = Symbol('kind');

export type Engine = 'sqlite' | 'postgres';

export interface Queryable {
  /** Rows of a select; in a transaction also of insert, update or delete with `returning`. */
  all<V extends object, R>(statement: Statement<V, R>, values: NoInfer<V>): Promise<R[]>;
  /** The first of those rows. The statement itself should say `limit 1` where there can be many. */
  first<V extends object, R>(statement: Statement<V, R>, values: NoInfer<V>): Promise<R | undefined>;
  /** Runs a write; gives how many rows it changed. */
  run<V extends object, R>(statement: Statement<V, R>, values: NoInfer<V>): Promise<number>;
}

/** The whole database. Each call stands for itself: a `run` is committed when its promise resolves. */
export interface Db extends Queryable {
  readonly [kind]: 'db';
  readonly engine: Engine;
  /**
   * Runs `work` as one transaction: committed when the promise resolves, undone if `work` throws (throw undoes,
   * return keeps). `work` uses only its `trx` and awaits nothing else: other writers wait for it, and `db` would
   * wait for ever. It may be run more than once (PostgreSQL: after a deadlock; SQLite: when another one of its group
   * failed), so it changes nothing outside the database.
   */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** Takes no more work, waits for what runs, then closes. */
  close(): Promise<void>;
}

/** One transaction. Any use after its callback has ended throws. */
export interface Trx extends Queryable {
  readonly [kind]: 'trx';
  /**
   * Adds a row that nothing in this transaction reads: by its end at the latest, together with those of other transactions. What
   * stands against it is thrown by `transaction`, not here.
   */
  append<V extends object>(insert: Statement<V>, values: NoInfer<V>): Promise<void>;
}

/** A storage engine: one file in dialects/ and a line in its index. */
export interface Dialect {
  matches(url: string): boolean;
  open(url: string): Promise<Db>;
  /** A knex instance with a connection of its own, for migrations alone. The caller destroys it. */
  openKnex(url: string): Promise<Knex>;
  /** Inside a transaction: waits until no other process migrates, until the transaction ends. */
  readonly migration_lock: string;
  /**
   * Where the engine is for one server alone: keeps others from the database until the function it gives is called, or this process is
   * gone. Throws a sentence where another one is there.
   */
  claim(url: string): Promise<() => Promise<void>>;
}

/** Opens `sqlite:path` (relative to the working directory) or `postgres://…`. Throws for any other URL. */
export async function openDb(url: string): Promise<Db> {
  return dialectOf(url).open(url);
}

/** The engine for a URL. Throws a sentence for the operator if there is none. */
export function dialectOf(url: string): Dialect {
  const dialect = Object.values(dialects).find((one) => one.matches(url));
  if (dialect) return dialect;
  const scheme = url.includes(':') ? `"${url.slice(0, url.indexOf(':') + 1)}"` : 'a URL without a scheme';
  throw new Error(
    `no storage engine for ${scheme}: use sqlite:path/to/file.sqlite or postgres://user@host/database`,
  );
}
