/**
 * What the engines have in common: a Db and a Trx over a few functions of a driver. Here statements are compiled
 * (once each), reads are told from writes, and a Trx ends with its callback.
 */
import type { Knex } from 'knex';
import { type Db, type Engine, kind, type Queryable, type Trx } from './db.js';
import { type Compiled, compile, type SqlValue, type Statement } from './statement.js';

/** One statement, ready for a driver. */
export interface Command {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly reads: boolean;
  /** For a statement that can be said together with its like (statement.ts, `Together`). */
  readonly together?: Joinable;
}

/** What it takes to put commands of one text together. */
interface Joinable {
  /** What this one is about. */
  readonly key: string;
  readonly values: object;
  keyOf(row: object): string;
  /** The bound values of the statement that stands for all of these. */
  bind(all: readonly object[]): SqlValue[];
}

export interface Result {
  readonly rows: readonly unknown[];
  /** Rows changed; only for writes. */
  readonly changes: number;
}

/** How a command is sent: `all` wants rows, `run` the number of rows changed, `append` nothing, by the end of the transaction. */
export type Send = (command: Command, want: 'all' | 'run' | 'append') => Promise<Result>;

export interface Driver {
  readonly engine: Engine;
  /** Compiles; has no connection. */
  readonly knex: Knex;
  readonly send: Send;
  transaction<T>(work: (send: Send) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The Db over a driver. */
export function createDb(driver: Driver): Db {
  const toCommand = commands(driver.knex);
  const running = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;

  function track<T>(start: () => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new Error('the database is closed'));
    const work = start();
    const settled = work.then(forget, forget);
    function forget() {
      running.delete(settled);
    }
    running.add(settled);
    return work;
  }

  async function drain(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
    await driver.close();
  }

  return {
    [kind]: 'db',
    engine: driver.engine,
    ...queryable(toCommand, (command, want) => {
      if (want === 'all' && !command.reads)
        throw new Error(`a write needs run() or a transaction: ${command.sql}`);
      return track(() => driver.send(command, want));
    }),
    transaction: (work) => track(() => driver.transaction((send) => runTrx(toCommand, send, work))),
    close: () => (closed ??= drain()),
  };
}

type ToCommand = <V extends object, R>(source: Statement<V, R>, values: V) => Command;

const compiled_by = new WeakMap<Knex, WeakMap<object, Compiled>>();

/** Compiles each statement at its first use and keeps it as long as somebody holds the statement. */
function commands(knex: Knex): ToCommand {
  const cache = compiled_by.get(knex) ?? new WeakMap<object, Compiled>();
  compiled_by.set(knex, cache);
  return (source, values) => {
    let compiled = cache.get(source);
    if (!compiled) {
      compiled = compile(knex, source);
      cache.set(source, compiled);
    }
    const { sql, reads, bind, together } = compiled;
    if (together === undefined) return { sql, values: bind(values), reads };
    return {
      sql,
      // Not needed where it is said together with others.
      get values() {
        return bind(values);
      },
      reads,
      together: { ...together, key: together.keyOf(values), values },
    };
  };
}

/** The three calls over one way to send. The rows are what the statement declares them to be. */
function queryable(toCommand: ToCommand, send: Send): Queryable {
  return {
    async all<V extends object, R>(source: Statement<V, R>, values: V) {
      return (await send(toCommand(source, values), 'all')).rows as R[];
    },
    async first<V extends object, R>(source: Statement<V, R>, values: V) {
      return (await send(toCommand(source, values), 'all')).rows[0] as R | undefined;
    },
    async run<V extends object, R>(source: Statement<V, R>, values: V) {
      return (await send(toCommand(source, values), 'run')).changes;
    },
  };
}

/**
 * Gives `work` a Trx and closes it when `work` ends. Statements go out one at a time, in the order of the calls. It
 * settles only when all of them have; a `work` that returns before they did is a mistake, and throws.
 */
async function runTrx<T>(toCommand: ToCommand, send: Send, work: (trx: Trx) => Promise<T>): Promise<T> {
  let ended = false;
  let unfinished = 0;
  let last: Promise<unknown> = Promise.resolve();

  const inTurn: Send = (command, want) => {
    if (ended) throw new Error('this transaction has ended');
    const result = unfinished++ === 0 ? send(command, want) : last.then(() => send(command, want));
    last = result.then(finish, finish);
    return result;
  };
  function finish() {
    unfinished--;
  }

  try {
    const append: Trx['append'] = async (source, values) => {
      await inTurn(toCommand(source, values), 'append');
    };
    const value = await work({ [kind]: 'trx', ...queryable(toCommand, inTurn), append });
    if (unfinished > 0) throw new Error('a transaction returned before its statements had finished');
    return value;
  } finally {
    ended = true;
    if (unfinished > 0) await last;
  }
}

/** Throws a sentence for the operator: which database cannot be opened, and why. */
export function throwCannotOpen(place: string, cause: unknown): never {
  const { message, code } = cause as NodeJS.ErrnoException; // what drivers and node:fs throw
  throw new Error(`cannot open the database ${place} (${message || code})`, { cause }); // one of several addresses has no message
}
