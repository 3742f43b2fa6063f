import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dialectOf, openDb } from '../../src/store/db.js';
import { compareMigrations, migrateDown, migrateUp, migrationStatus } from '../../src/store/migrations.js';
import { statement } from '../../src/store/statement.js';
import { insert, listAfter } from '../../src/store/status_revocations.js';
import { emptyDatabase, engines, newDatabase, type TestDatabase } from '../support/database.js';

/** Every table, index and column, but for knex's own. */
const schemas = {
  sqlite: statement<object, { definition: string }>((sql) =>
    sql.raw(`select type || ' ' || name || ' ' || coalesce(sql, '') as definition from sqlite_master
      where name not like 'knex%' and name not like 'sqlite%' order by 1`),
  ),
  postgres: statement<object, { definition: string }>((sql) =>
    sql.raw(`select definition from (
      select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
        as definition from information_schema.columns where table_schema = 'public' and table_name not like 'knex%'
      union all select indexdef from pg_indexes where schemaname = 'public' and tablename not like 'knex%'
      union all select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'knex%') as all_of_it order by 1`),
  ),
};

const waiting = statement<object, { pid: number }>((sql) =>
  sql.raw(
    'select pid from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
  ),
);

const addNewer = statement((sql) =>
  sql.raw("insert into knex_migrations (name, batch) values ('9999_of_tomorrow', 9)"),
);

/** Processes that migrate at once. On SQLite each that waits holds one of the four threads of this process. */
const at_once = { sqlite: 3, postgres: 8 };

describe.each(engines)('migrations on %s', (engine) => {
  let scratch: TestDatabase;
  beforeEach(async () => {
    scratch = await emptyDatabase(engine);
  });
  afterEach(() => scratch.drop());

  async function schema(url: string): Promise<string[]> {
    const db = await openDb(url);
    const rows = await db.all(schemas[engine], {});
    await db.close();
    return rows.map((row) => row.definition);
  }

  async function left(url: string): Promise<string[]> {
    const db = await openDb(url);
    const { pending } = await compareMigrations(db);
    await db.close();
    return pending;
  }

  test('start with nothing applied, and nothing made by asking', async () => {
    const all = await migrationStatus(scratch.url);
    expect(all.length).toBeGreaterThan(0);
    expect(all.every(({ applied }) => !applied)).toBe(true);
    expect(all.map(({ name }) => name)).toEqual(await left(scratch.url));
    expect(await schema(scratch.url)).toEqual([]);
  });

  test('are applied once, in order, by name without extension', async () => {
    const applied = await migrateUp(scratch.url);
    expect(applied[0]).toBe('0001_foundations');
    expect(applied).toEqual([...applied].sort());
    expect(await migrateUp(scratch.url)).toEqual([]);
    expect(await migrationStatus(scratch.url)).toEqual(applied.map((name) => ({ name, applied: true })));
    expect(await left(scratch.url)).toEqual([]);
  });

  test('each go down to the schema before, and up again to the same', async () => {
    const names = (await migrationStatus(scratch.url)).map(({ name }) => name);
    const knex = await dialectOf(scratch.url).openKnex(scratch.url);
    for (const name of names) {
      const { up, down } = await import(`../../migrations/${name}.js`);
      const before = await schema(scratch.url);
      await knex.transaction(up);
      const after = await schema(scratch.url);
      expect(after).not.toEqual(before);
      await knex.transaction(down);
      expect(await schema(scratch.url)).toEqual(before);
      await knex.transaction(up);
      expect(await schema(scratch.url)).toEqual(after);
    }
    await knex.destroy();
  });

  test('are undone one at a time, newest first', async () => {
    const applied = await migrateUp(scratch.url);
    for (const name of applied.toReversed()) expect(await migrateDown(scratch.url)).toEqual([name]);
    expect(await schema(scratch.url)).toEqual([]);
    expect(await left(scratch.url)).toEqual(applied);
    expect(await migrateUp(scratch.url)).toEqual(applied);
  });

  test('keep what was revoked when they bring it into order (0019), and when they are undone', async () => {
    await migrateUp(scratch.url);
    const db = await openDb(scratch.url);
    onTestFinished(() => db.close());
    const index = (status_index: number) => ({ status_list: 'l1', status_index });
    await db.transaction(async (trx) => {
      for (const at of [1, 2, 3]) await insert(trx, index(at), 100 - at, 900);
    });
    const before = await listAfter(db, 0);
    const knex = await dialectOf(scratch.url).openKnex(scratch.url);
    const { up, down } = await import('../../migrations/0019_revocation_order.js');
    await knex.transaction(down);
    await knex.transaction(up);
    await knex.destroy();
    const after = await listAfter(db, 0);
    expect(before.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(after).toEqual(before.toReversed().map((row, i) => ({ ...row, position: i + 1 }))); // by time, which is all there was
  });

  test('of a newer server are known for what they are', async () => {
    await migrateUp(scratch.url);
    const db = await openDb(scratch.url);
    onTestFinished(() => db.close());
    await db.run(addNewer, {});
    expect(await compareMigrations(db)).toEqual({ pending: [], newer: ['9999_of_tomorrow'] });
  });

  test('have nothing to undo in an empty database', async () => {
    expect(await migrateDown(scratch.url)).toEqual([]);
  });

  test('are applied by one of several that start at once; the others find nothing to do', async () => {
    const results = await Promise.all(Array.from({ length: at_once[engine] }, () => migrateUp(scratch.url)));
    expect(results.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await left(scratch.url)).toEqual([]);
    expect(await migrateUp(scratch.url)).toEqual([]);
  });

  test('are all applied in the database the other tests get', async () => {
    const ready = await newDatabase(engine);
    expect(await left(ready.url)).toEqual([]);
    await migrateUp(scratch.url);
    expect(await schema(ready.url)).toEqual(await schema(scratch.url));
    await ready.drop();
  });
});

test('a revocation that is being written while the table is made anew is kept (0019, PostgreSQL)', async () => {
  const scratch = await emptyDatabase('postgres');
  await migrateUp(scratch.url);
  const { openKnex } = dialectOf(scratch.url);
  const [here, there] = [await openKnex(scratch.url), await openKnex(scratch.url)];
  const db = await openDb(scratch.url);
  onTestFinished(async () => {
    await Promise.all([here.destroy(), there.destroy(), db.close()]);
    await scratch.drop();
  });
  const { up, down } = await import('../../migrations/0019_revocation_order.js');
  await here.transaction(down);
  const writing = await there.transaction();
  await writing.raw(
    "insert into status_revocations (id, status_list, status_index, revoked_at, expires_at) values ('l1.1', 'l1', 1, 1, 9)",
  );
  const migrating = here.transaction(up);
  await expect.poll(async () => (await db.all(waiting, {})).length).toBe(1);
  await writing.commit();
  await migrating;
  expect(await listAfter(db, 0)).toMatchObject([{ id: 'l1.1' }]);
});
