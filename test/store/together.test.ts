/** Statements with which several transactions begin, said at once (src/store/statement.ts, `Together`). */
import { join } from 'node:path';
import knex from 'knex';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import * as authorizationCodes from '../../src/store/authorization_codes.js';
import * as authorizations from '../../src/store/authorizations.js';
import type { Trx } from '../../src/store/db.js';
import { openConnection, type SqliteConnection } from '../../src/store/dialects/sqlite_connection.js';
import { openWriter, type Writer } from '../../src/store/dialects/sqlite_writer.js';
import { type Command, createDb, type Send } from '../../src/store/driver.js';
import * as refreshTokens from '../../src/store/refresh_tokens.js';
import { newDatabase } from '../support/database.js';

describe('members of a group that begin with the same statement', () => {
  let real: SqliteConnection;
  let writer: Writer;
  let log: string[];

  beforeEach(async () => {
    real = await openConnection(join(inject('sqlite_folder'), `${crypto.randomUUID()}.sqlite`), 'writer');
    await real.run("create table t (id integer primary key, text text check (text <> 'bad'))");
    for (const id of [1, 2, 3, 4]) await real.run('insert into t values (?, ?)', [id, 'new']);
    log = [];
    const note = (sql: string) => {
      log.push(sql.split(' ')[0] ?? '');
      return sql;
    };
    writer = openWriter({
      ...real,
      all: (sql, values) => real.all(note(sql), values),
      run: (sql, values) => real.run(note(sql), values),
    });
  });
  afterEach(() => real.close());

  const update = `update t set text = each.text from
    (select value ->> 'id' as id, value ->> 'text' as text from json_each(?)) as each
    where t.id = each.id and t.text = 'new' returning *`;
  const bind = (all: readonly object[]) => [JSON.stringify(all)];
  const set = (id: number, text: string): Command => ({
    ...{ sql: update, values: bind([{ id, text }]), reads: false },
    together: {
      key: String(id),
      values: { id, text },
      keyOf: (row) => String((row as { id: number }).id),
      bind,
    },
  });
  const read: Command = { sql: 'select id, text from t order by id', values: [], reads: true };
  const texts = async () => (await real.all(read.sql, [])).rows.map((row) => (row as { text: string }).text);

  /** A member that sets a text and gives the row, after `rest`. */
  const member = (id: number, text: string, rest: (send: Send) => Promise<unknown> = async () => {}) =>
    writer.transaction(async (send) => {
      const { rows } = await send(set(id, text), 'all');
      await rest(send);
      return rows;
    });
  const outcomes = async (work: Promise<unknown>[]) =>
    (await Promise.allSettled(work)).map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
    );

  test('say it once, and each gets its own row', async () => {
    const work = await Promise.all([member(1, 'a'), member(9, 'b'), member(3, 'c')]);
    expect(work).toEqual([[{ id: 1, text: 'a' }], [], [{ id: 3, text: 'c' }]]);
    expect(log).toEqual(['begin', 'update', 'commit']);
    expect(await texts()).toEqual(['a', 'new', 'c', 'new']);
  });

  test('about the same thing say it one after another: one of them wins', async () => {
    const work = await Promise.all([member(1, 'a'), member(1, 'b'), member(2, 'c')]);
    expect(work).toEqual([[{ id: 1, text: 'a' }], [], [{ id: 2, text: 'c' }]]);
    expect(log).toEqual(['begin', 'update', 'update', 'commit']);
  });

  test('go on strictly one after another', async () => {
    const seen: string[] = [];
    const steps = (name: string) => async (send: Send) => {
      for (const step of [1, 2]) {
        await send(read, 'all');
        seen.push(name + step);
      }
    };
    await Promise.all([member(1, 'a', steps('a')), member(2, 'b', steps('b'))]);
    expect(seen).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  test('run again one by one where one of them throws after it wrote', async () => {
    const throwing = async () => {
      throw new Error('refused');
    };
    const work = [member(1, 'a'), member(2, 'b', throwing), member(3, 'c')];
    expect(await outcomes(work)).toEqual([[{ id: 1, text: 'a' }], 'refused', [{ id: 3, text: 'c' }]]);
    expect(await texts()).toEqual(['a', 'new', 'c', 'new']);
  });

  test('are not run again for one that throws because it found nothing', async () => {
    const throwing = async () => {
      throw new Error('refused');
    };
    const work = [member(1, 'a'), member(9, 'b', throwing), member(3, 'c')];
    expect(await outcomes(work)).toEqual([[{ id: 1, text: 'a' }], 'refused', [{ id: 3, text: 'c' }]]);
    expect(log).toEqual(['begin', 'update', 'commit']);
  });

  test('run again one by one to find out whose values are refused', async () => {
    const work = [member(1, 'a'), member(2, 'bad'), member(3, 'c')];
    const [first, second, third] = await outcomes(work);
    expect([first, third]).toEqual([[{ id: 1, text: 'a' }], [{ id: 3, text: 'c' }]]);
    expect(second).toContain('SQLITE_CONSTRAINT');
    expect(await texts()).toEqual(['a', 'new', 'c', 'new']);
  });

  test('are all refused by an error that undoes everything; who said something else runs in the next group', async () => {
    await real.run('pragma max_page_count = 3');
    const other = writer.transaction((send) => send(read, 'all'));
    const work = await outcomes([member(1, 'x'.repeat(20_000)), member(2, 'b')]);
    expect(work).toEqual([expect.stringContaining('SQLITE_FULL'), expect.stringContaining('SQLITE_FULL')]);
    expect((await other).rows).toHaveLength(4);
    expect(log.filter((verb) => verb === 'begin')).toHaveLength(2);
    expect(await texts()).toEqual(['new', 'new', 'new', 'new']);
  });
});

describe('a statement for several', () => {
  test('finds each row by its key, however large the table is', async () => {
    const { url, drop } = await newDatabase('sqlite');
    const connection = await openConnection(url.slice('sqlite:'.length), 'reader');
    const upsert = (trx: Trx) =>
      authorizations.upsert(
        trx,
        {
          ...{ id: '1', user_id: '2', client_id: '3', sid: '4', session_id: '4' },
          ...{ created_at: 1, expires_at: 2, status_list: '5', status_index: 6 },
        },
        1,
      );
    const rotation = { id: '1', before: '2', generation: 1, token_hash: '3', successor_sealed: '4', now: 1 };
    const statements = await sentBy([
      upsert,
      (trx) => authorizationCodes.consume(trx, 'hash', 2, 1),
      (trx) => refreshTokens.rotate(trx, rotation),
    ]);
    for (const { sql, values, together } of statements) {
      expect(together).toBeDefined();
      const { rows } = await connection.all(`explain query plan ${sql}`, values);
      const plan = rows.map((row) => (row as { detail: string }).detail);
      expect(plan.filter((line) => /SCAN (?!json_each|.*VIRTUAL|CONSTANT)/.test(line))).toEqual([]);
      expect(plan.some((line) => /SEARCH (authorization_codes|refresh_tokens|sessions)/.test(line))).toBe(
        true,
      );
    }
    await connection.close();
    await drop();
  });
});

/** The first command that each of these sends, on an engine that does nothing. */
async function sentBy(works: readonly ((trx: Trx) => Promise<unknown>)[]): Promise<Command[]> {
  const sent: Command[] = [];
  const db = createDb({
    engine: 'sqlite',
    knex: knex({ client: 'sqlite3', useNullAsDefault: true }),
    send: async () => ({ rows: [], changes: 0 }),
    transaction: (work) =>
      work(async (command) => {
        sent.push(command);
        return { rows: [], changes: 0 };
      }),
    close: async () => {},
  });
  for (const work of works) await db.transaction(work);
  return sent;
}
