import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openConnection, type SqliteConnection } from '../../src/store/dialects/sqlite_connection.js';
import { openWriter, type Writer } from '../../src/store/dialects/sqlite_writer.js';
import type { Command, Send } from '../../src/store/driver.js';

const refusal = new Error('refused');

/** The writer alone, on a connection that keeps a log of what was sent. */
describe('group commit', () => {
  let path: string;
  let real: SqliteConnection;
  let log: string[];
  let writer: Writer;

  beforeEach(async () => {
    path = join(inject('sqlite_folder'), `${crypto.randomUUID()}.sqlite`);
    real = await openConnection(path, 'writer');
    await real.run('create table t (id integer primary key, text text)');
    await real.run('create table child (id integer references t deferrable initially deferred)');
    log = [];
    writer = openWriter({
      ...real,
      all: (sql, values) => real.all(note(sql), values),
      run: (sql, values) => real.run(note(sql), values),
    });
  });
  afterEach(() => real.close());

  function note(sql: string): string {
    log.push(sql.split(' ')[0] ?? '');
    return sql;
  }

  const command = (sql: string, ...values: (string | number)[]): Command => ({ sql, values, reads: false });
  const add = (id: number, text = '') => command('insert into t values (?, ?)', id, text);
  const select: Command = { sql: 'select id from t order by id', values: [], reads: true };
  const member = (id: number) => writer.transaction((send) => send(add(id), 'run'));
  const stored = async () => (await real.all('select id from t order by id', [])).rows;
  const rows = (...all: number[]) => all.map((id) => ({ id }));

  function statuses(work: Promise<unknown>[]): Promise<string[]> {
    return Promise.all(
      work.map((one) =>
        one.then(
          () => 'kept',
          (error: { code?: string }) => error.code ?? 'thrown',
        ),
      ),
    );
  }

  test('commits once for what waits together', async () => {
    await Promise.all([member(1), member(2), member(3)]);
    expect(log).toEqual(['begin', 'insert', 'insert', 'insert', 'commit']);
  });

  test('runs a group again, with savepoints, if a member of it failed after it wrote', async () => {
    const work = [member(1), writer.transaction(failing(2)), member(3)];
    expect(await statuses(work)).toEqual(['kept', 'thrown', 'kept']);
    const undone = ['begin', 'insert', 'insert', 'rollback'];
    const again = ['begin', 'insert', 'savepoint', 'insert', 'rollback', 'savepoint', 'insert', 'commit'];
    expect(log).toEqual([...undone, ...again]);
  });

  test('keeps savepoints for a hundred groups, so that failing on purpose makes no more work than that', async () => {
    await statuses([member(1), writer.transaction(failing(2))]);
    const groups = async (count: number) => {
      log = [];
      for (let i = 0; i < count; i += 1)
        await statuses([member(100 + 2 * i), writer.transaction(failing(2))]);
      for (const { id } of (await stored()) as { id: number }[])
        if (id >= 100) await real.run('delete from t where id = ?', [id]);
      return log.filter((verb) => verb === 'begin').length;
    };
    expect(await groups(99)).toBe(99);
    expect(await groups(1)).toBe(2); // nobody had failed without a savepoint for a hundred groups: the next one pays again
  });

  const appending = (...ids: number[]) =>
    writer.transaction(async (send) => {
      for (const id of ids) await send(add(id), 'append');
      return ids;
    });

  test('adds the rows that nobody reads by one statement, before the commit', async () => {
    const work = await Promise.all([appending(1), member(2), appending(3, 4)]);
    expect(work).toEqual([[1], expect.anything(), [3, 4]]);
    expect(await stored()).toEqual(rows(1, 2, 3, 4));
    expect(log).toEqual(['begin', 'insert', 'insert', 'commit']);
  });

  test('adds 16 rows at most by one statement', async () => {
    await appending(...Array.from({ length: 40 }, (_, id) => id));
    expect(log).toEqual(['begin', 'insert', 'insert', 'insert', 'commit']);
    expect(await stored()).toHaveLength(40);
  });

  test('adds no row of a member that failed', async () => {
    const bad = writer.transaction(async (send) => {
      await send(add(2), 'append');
      throw refusal;
    });
    expect(await statuses([appending(1), bad, appending(3)])).toEqual(['kept', 'thrown', 'kept']);
    expect(await stored()).toEqual(rows(1, 3));
  });

  test('finds out whose row it is that cannot be added', async () => {
    const work = [appending(1), appending(5, 1), member(3), appending(4)];
    expect(await statuses(work)).toEqual(['kept', 'SQLITE_CONSTRAINT', 'kept', 'kept']);
    expect(await stored()).toEqual(rows(1, 3, 4));
  });

  test('commits after 64 members at the latest', async () => {
    await Promise.all(Array.from({ length: 130 }, (_, id) => member(id)));
    expect(log.filter((verb) => verb === 'commit')).toHaveLength(3);
  });

  test('needs no savepoint for a single statement, nor for one that only reads', async () => {
    await Promise.all([member(1), writer.run(add(2)), writer.transaction((send) => send(select, 'all'))]);
    expect(log).toEqual(['begin', 'insert', 'insert', 'select', 'commit']);
  });

  test('runs members strictly one after another, in the order of the calls', async () => {
    const seen: string[] = [];
    const slow = (name: string) =>
      writer.transaction(async (send) => {
        for (let i = 0; i < 3; i++) {
          await send(select, 'all');
          seen.push(`${name}${i}`);
        }
      });
    await Promise.all([slow('a'), slow('b'), slow('c')]);
    expect(seen).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2', 'c0', 'c1', 'c2']);
  });

  test('shows a member what those before it in the group wrote', async () => {
    const [, seen] = await Promise.all([member(1), writer.transaction((send) => send(select, 'all'))]);
    expect(seen.rows).toEqual(rows(1));
  });

  const failing = (id: number) => async (send: Send) => {
    await send(add(id), 'run');
    throw refusal;
  };

  test.each([
    ['first', 0, rows(1, 2)],
    ['second', 1, rows(0, 2)],
    ['last', 2, rows(0, 1)],
  ])('undoes the %s member alone if it throws', async (_, bad, left) => {
    const work = [0, 1, 2].map((id) => (id === bad ? writer.transaction(failing(id)) : member(id)));
    expect(await statuses(work)).toEqual([0, 1, 2].map((id) => (id === bad ? 'thrown' : 'kept')));
    expect(await stored()).toEqual(left);
  });

  test('keeps a duplicate that was caught from harming anybody', async () => {
    const catching = async (send: Send) => {
      await send(add(1), 'run').catch(() => undefined);
      await send(add(5), 'run');
    };
    const work = [member(1), writer.transaction(catching), writer.run(add(1)), member(3)];
    expect(await statuses(work)).toEqual(['kept', 'kept', 'SQLITE_CONSTRAINT', 'kept']);
    expect(await stored()).toEqual(rows(1, 3, 5));
  });

  test('delivers what a member threw only after the commit', async () => {
    const other = await openConnection(path, 'reader');
    const good = member(1);
    await writer.transaction(failing(2)).catch(() => undefined);
    expect((await other.all('select id from t', [])).rows).toEqual(rows(1));
    await good;
    await other.close();
  });

  test('rejects everybody, those who threw too, if COMMIT fails', async () => {
    const orphan = writer.run(command('insert into child values (?)', 99));
    const work = [member(1), orphan, writer.transaction(failing(2)), member(3)];
    expect(await statuses(work)).toEqual(Array(4).fill('SQLITE_CONSTRAINT'));
    expect(await stored()).toEqual([]);
    await member(4);
    expect(await stored()).toEqual(rows(4));
  });

  test('rejects those who wait, and goes on, if BEGIN finds the file locked', async () => {
    const other = await openConnection(path, 'writer');
    await real.run('pragma busy_timeout = 30');
    await other.run('begin immediate');
    expect(await statuses([member(1), member(2)])).toEqual(['SQLITE_BUSY', 'SQLITE_BUSY']);
    await other.run('commit');
    await other.close();
    await member(3);
    expect(await stored()).toEqual(rows(3));
  });

  describe('when the disk is full (pragma max_page_count)', () => {
    const big = add(2, 'x'.repeat(100_000));

    beforeEach(async () => {
      const { rows: found } = await real.all('pragma page_count', []);
      expect(found).toEqual([{ page_count: 3 }]);
      await real.run('pragma max_page_count = 6');
    });

    test('a member too big takes those before it with it, and those after it run', async () => {
      const work = [member(1), writer.transaction((send) => send(big, 'run')), member(3)];
      expect(await statuses(work)).toEqual(['SQLITE_FULL', 'SQLITE_FULL', 'kept']);
      expect(await stored()).toEqual(rows(3));
      expect(log).toEqual(['begin', 'insert', 'insert', 'rollback', 'begin', 'insert', 'commit']);
    });

    test('a single statement too big does the same', async () => {
      expect(await statuses([member(1), writer.run(big), writer.run(add(3))])).toEqual([
        'SQLITE_FULL',
        'SQLITE_FULL',
        'kept',
      ]);
      expect(await stored()).toEqual(rows(3));
    });

    test('nothing more is sent for a member that catches the error, and it is rejected', async () => {
      const stubborn = writer.transaction(async (send) => {
        await send(big, 'run').catch(() => undefined);
        await send(add(4), 'run').catch(() => undefined);
        return 'fine';
      });
      expect(await statuses([stubborn, member(3)])).toEqual(['SQLITE_FULL', 'kept']);
      expect(await stored()).toEqual(rows(3));
      expect(log).toEqual(['begin', 'insert', 'rollback', 'begin', 'insert', 'commit']);
    });

    test('it serves again when there is room', async () => {
      expect(await statuses([writer.run(big)])).toEqual(['SQLITE_FULL']);
      await real.run('pragma max_page_count = 1000');
      await writer.run(big);
      expect(await stored()).toEqual(rows(2));
    });
  });
});
