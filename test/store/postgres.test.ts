import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Db, openDb } from '../../src/store/db.js';
import { statement } from '../../src/store/statement.js';
import { emptyDatabase, type TestDatabase } from '../support/database.js';

const insert = statement<{ id: number }>((sql, value) => sql('t').insert({ id: value.id }));
const add = statement<{ id: number; by: number }>((sql, value) =>
  sql('t').where({ id: value.id }).increment('n', 1).update({ last: value.by }),
);
const list = statement<object, { id: number; n: number }>((sql) => sql('t').select('id', 'n').orderBy('id'));
const ownPid = statement<object, { pid: number }>((sql) => sql.raw('select pg_backend_pid() as pid'));
const terminate = statement<{ pid: number }>((sql, value) =>
  sql.raw('select pg_terminate_backend(cast(? as int))', [value.pid]),
);

let scratch: TestDatabase;
let db: Db;

beforeEach(async () => {
  scratch = await emptyDatabase('postgres');
  db = await openDb(scratch.url);
  const create = 'create table t (id bigint primary key, n bigint not null default 0, last bigint)';
  await db.run(
    statement((sql) => sql.raw(create)),
    {},
  );
});
afterEach(async () => {
  await db.close();
  await scratch.drop();
});

async function terminateFromOutside(pid: number): Promise<void> {
  const other = await openDb(scratch.url);
  await other.run(terminate, { pid });
  await other.close();
}

test('the loss of an idle connection harms nobody', async () => {
  const [found] = await db.all(ownPid, {});
  await terminateFromOutside(found?.pid ?? 0);
  await new Promise((resolve) => setImmediate(resolve)); // the news of it arrives
  const results = await Promise.allSettled([db.all(list, {}), db.all(list, {})]);
  expect(results.length).toBe(2); // one of them may have been sent before the news
  expect(await db.all(list, {})).toEqual([]);
});

test('the loss of a connection inside a transaction rejects it alone', async () => {
  const work = db.transaction(async (trx) => {
    await trx.run(insert, { id: 1 });
    const [found] = await trx.all(ownPid, {});
    await terminateFromOutside(found?.pid ?? 0);
    await trx.run(insert, { id: 2 });
  });
  await expect(work).rejects.toThrow();
  expect(await db.all(list, {})).toEqual([]);
});

test('a connection that leads nowhere any more is given up, and the next one is new', async () => {
  const { url, freeze } = await behindRouter(scratch.url);
  const far = await openDb(`${url}?query_timeout=200`);
  onTestFinished(() => far.close());
  await far.run(insert, { id: 1 });
  freeze();
  await expect(far.all(list, {})).rejects.toThrow('Query read timeout');
  expect(await far.all(list, {})).toEqual([{ id: 1, n: 0 }]);

  const work = far.transaction(async (trx) => {
    await trx.run(insert, { id: 2 });
    freeze();
    await trx.run(insert, { id: 3 });
  });
  await expect(work).rejects.toThrow('Query read timeout');
  expect(await far.all(list, {})).toEqual([{ id: 1, n: 0 }]);
});

/** The server behind something that forgets the connections it has, as a router does: what is sent on them gets lost. */
async function behindRouter(url: string) {
  const { host, hostname, port } = new URL(url);
  let known = 0;
  const router = createServer((near) => {
    const far = connect(Number(port), hostname);
    const generation = known;
    const pass = (to: Socket) => (data: Buffer) => void (generation === known && to.write(data));
    near.on('data', pass(far)).on('close', () => far.destroy());
    far.on('data', pass(near)).on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await once(router, 'listening');
  onTestFinished(() => void router.close());
  const { port: own } = router.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: url.replace(host, `127.0.0.1:${own}`),
    freeze: () => {
      known += 1;
    },
  };
}

test('a deadlock is tried again', async () => {
  await db.run(insert, { id: 1 });
  await db.run(insert, { id: 2 });
  let waiting = 0;
  let bothHold = () => {};
  const gate = new Promise<void>((resolve) => {
    bothHold = resolve;
  });
  const cross = (first: number, second: number) =>
    db.transaction(async (trx) => {
      await trx.run(add, { id: first, by: first });
      if (++waiting === 2) bothHold();
      await gate;
      await trx.run(add, { id: second, by: first });
    });
  await Promise.all([cross(1, 2), cross(2, 1)]);
  expect(waiting).toBeGreaterThanOrEqual(3); // two that met, and one of them again; on a slow machine they may meet once more
  expect(await db.all(list, {})).toEqual([
    { id: 1, n: 2 },
    { id: 2, n: 2 },
  ]);
});

test('a transaction that caught the error of a statement is rejected: nothing of it was kept', async () => {
  const work = db.transaction(async (trx) => {
    await trx.run(insert, { id: 1 });
    await trx.run(insert, { id: 1 }).catch(() => undefined);
    return 'fine';
  });
  await expect(work).rejects.toThrow('the transaction was rolled back');
  expect(await db.all(list, {})).toEqual([]);
});
