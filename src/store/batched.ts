/**
 * Reads of one row by its key, put together: those that wait while one is on its way go out as the next one. A read costs a hop
 * through the engine's queue and back, whether it brings one row or twenty; no read waits longer than the one before it takes.
 */
import type { Knex } from 'knex';
import type { Db } from './db.js';
import { forPostgres } from './statement.js';

/** Rows asked for at once, at most. */
const batch_limit = 64;

interface Waiting<Row> {
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The reads of one kind on one database. */
interface Lane<Row> {
  readonly waiting: Map<string, Waiting<Row>[]>;
  busy: boolean;
}

/**
 * A function that gives the row of a key, undefined if there is none. `read` gets the keys as `among` wants them and gives their rows
 * in any order; `keyOf` tells whose a row is. A row is read after it was asked for, never before. Who asks for the same key at
 * the same moment gets the same object.
 */
export function batched<Row>(
  read: (db: Db, keys: string) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): (db: Db, key: string) => Promise<Row | undefined> {
  const lanes = new WeakMap<Db, Lane<Row>>();

  async function serve(db: Db, lane: Lane<Row>): Promise<void> {
    if (lane.busy) return;
    lane.busy = true;
    while (lane.waiting.size > 0) {
      const batch = [...lane.waiting].slice(0, batch_limit);
      for (const [key] of batch) lane.waiting.delete(key);
      await settle(db, new Map(batch));
    }
    lane.busy = false;
  }

  async function settle(db: Db, batch: ReadonlyMap<string, readonly Waiting<Row>[]>): Promise<void> {
    try {
      const rows = await read(db, JSON.stringify([...batch.keys()]));
      const found = new Map(rows.map((row) => [keyOf(row), row]));
      for (const [key, all] of batch) for (const { resolve } of all) resolve(found.get(key));
    } catch (error) {
      for (const all of batch.values()) for (const { reject } of all) reject(error);
    }
  }

  return (db, key) => {
    const lane = lanes.get(db) ?? { waiting: new Map(), busy: false };
    lanes.set(db, lane);
    return new Promise((resolve, reject) => {
      const asked = lane.waiting.get(key);
      if (asked === undefined) lane.waiting.set(key, [{ resolve, reject }]);
      else asked.push({ resolve, reject });
      void serve(db, lane);
    });
  };
}

/** The condition that a column holds one of the keys of a batch. One text for any number of them, so it is prepared once. */
export function among(sql: Knex, column: string, keys: string): Knex.Raw {
  return forPostgres(sql)
    ? sql.raw('?? = any(array(select json_array_elements_text(cast(? as json))))', [column, keys])
    : sql.raw('?? in (select value from json_each(?))', [column, keys]);
}
