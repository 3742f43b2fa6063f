/**
 * SQL as the store files say it: once, with knex's builder, and compiled once per engine. A statement names its
 * values; running it (db.ts) takes an object with those names. knex holds no connection here (decisions 1).
 */
import type { Knex } from 'knex';

/** What a driver takes as a bound value. Booleans are stored as 0 and 1, structures as JSON text. */
export type SqlValue = string | number | null;

/** A builder of SQL with the types of what goes in and of the rows that come out (`never`: no rows). */
export interface Statement<Values extends object, Row = never> {
  readonly build: (sql: Knex, value: Readonly<Values>) => Knex.QueryBuilder | Knex.Raw;
  readonly together?: Together<Values, Row>;
  /** For the type checker alone; never set. */
  readonly row?: Row;
}

/**
 * How SQLite says a statement for several transactions at once, if it is the first of each. What it does stays right when the rest of
 * other transactions comes between it and the rest of its own.
 */
export interface Together<Values extends object, Row> {
  /** The statement for `value.rows`, a JSON array of values; it gives the row of each that it found. */
  readonly build: (sql: Knex, value: { readonly rows: string }) => Knex.Raw;
  /** What it is about: the same for the values and for their row, and for no others of the array. */
  readonly keyOf: (of: Values | Row) => string;
}

/** SQL text in the engine's own dialect, and how its placeholders are filled. */
export interface Compiled {
  readonly sql: string;
  /** True if the statement cannot change anything, so that a reader may run it. */
  readonly reads: boolean;
  /** The values in the order of the placeholders. Throws if one is missing or is no SqlValue. */
  bind(values: object): SqlValue[];
  readonly together?: {
    keyOf(of: object): string;
    /** The same statement for all of these. */
    bind(all: readonly object[]): SqlValue[];
  };
}

/**
 * Declares a statement. `value.x` stands wherever knex takes a bound value: where, insert, update, the bindings of
 * `sql.raw`. Not in `.limit()` and `.offset()`, which want a number at once: compile refuses that.
 */
export function statement<Values extends object, Row = never>(
  build: Statement<Values, Row>['build'],
  together?: Together<Values, Row>,
): Statement<Values, Row> {
  return { build, ...(together !== undefined && { together }) };
}

/** Whether SQL is written for PostgreSQL: for the few things that the builder does not translate. */
export function forPostgres(sql: Knex): boolean {
  return sql.client.config.client === 'pg';
}

/** Compiles for the engine `knex` was made for. Throws if a value was asked for but bound nowhere. */
export function compile<Values extends object, Row>(knex: Knex, source: Statement<Values, Row>): Compiled {
  const { together } = source;
  if (together === undefined || forPostgres(knex)) return compileOne(knex, source);
  const { sql, reads, bind } = compileOne(knex, statement(together.build));
  const bindAll = (all: readonly object[]) => bind({ rows: JSON.stringify(all) });
  const keyOf = (of: object) => together.keyOf(of as Values | Row); // what this very statement takes and gives
  return { sql, reads, bind: (values) => bindAll([values]), together: { keyOf, bind: bindAll } };
}

function compileOne<Values extends object, Row>(knex: Knex, source: Statement<Values, Row>): Compiled {
  const asked = new Set<string>();
  const query = source.build(knex, placeholders<Values>(asked)).toSQL();
  const { sql, bindings } = query.toNative();

  for (const name of asked) {
    const bound = bindings.some((binding) => binding instanceof Placeholder && binding.name === name);
    if (!bound) throw new Error(`the value "${name}" is bound nowhere in: ${sql}`);
  }
  return {
    sql,
    reads: isRead(query.method, sql),
    bind: (values) => bindings.map((one) => fill(one, values, sql)),
  };
}

/** Stands in knex's list of bindings for a value that comes later. */
class Placeholder {
  constructor(readonly name: string) {}
}

/** An object whose every member is a placeholder of that name. Notes in `asked` which were taken. */
function placeholders<Values extends object>(asked: Set<string>): Values {
  return new Proxy(Object.create(null), {
    get(_, name) {
      if (typeof name === 'symbol') return undefined;
      asked.add(name);
      return new Placeholder(name);
    },
  });
}

function fill(binding: unknown, values: object, sql: string): SqlValue {
  if (!(binding instanceof Placeholder)) return toSqlValue(binding, 'a constant', sql);
  const value: unknown = Reflect.get(values, binding.name);
  return toSqlValue(value, `the value "${binding.name}"`, sql);
}

function toSqlValue(value: unknown, what: string, sql: string): SqlValue {
  if (typeof value === 'string' || value === null || Number.isFinite(value)) return value as SqlValue;
  if (value === undefined) throw new Error(`${what} is missing in: ${sql}`);
  throw new Error(`${what} is neither text nor a finite number nor null in: ${sql}`);
}

/** A raw statement counts as a read if it begins like one and names no verb of writing. */
function isRead(method: string, sql: string): boolean {
  if (method !== 'raw') return ['select', 'first', 'pluck'].includes(method);
  return /^\s*(select|with|values)\b/i.test(sql) && !/\b(insert|update|delete)\b/i.test(sql);
}
