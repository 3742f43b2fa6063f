import { inflateSync } from 'node:zlib';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { statement } from '../../src/store/statement.js';
import * as statusLists from '../../src/store/status_lists.js';
import * as statusRevocations from '../../src/store/status_revocations.js';
import { createStatusIndices, removeUnusedLists } from '../../src/tokens/status_indices.js';
import { StatusBits, signStatusList } from '../../src/tokens/status_list_token.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

const setNext = statement<{ next_index: number }>((sql, value) =>
  sql('status_lists').update({ next_index: value.next_index }),
);

describe.each(engines)('indices of status lists on %s', (engine) => {
  test('are each given out once, by however many processes at once (TSL-01)', async () => {
    const { db, now } = await startIdp({ engine });
    const processes = Array.from({ length: 4 }, () => createStatusIndices(db));
    const taken = await Promise.all(
      processes.flatMap((indices) => Array.from({ length: 300 }, () => indices.reserve(now()))),
    );
    const names = taken.map(({ status_list, status_index }) => `${status_list}.${status_index}`);
    expect(new Set(names).size).toBe(1200);
    // Processes that start at once, each finding no list, may each make one; blocks come from the first that has room.
    expect((await statusLists.list(db)).length).toBeLessThanOrEqual(4);
  });

  test('go on in a new list when one is full', async () => {
    const { db, now } = await startIdp({ engine });
    const first = await createStatusIndices(db).reserve(now());
    await db.run(setNext, { next_index: statusLists.list_size - 256 });
    const last = await createStatusIndices(db).reserve(now());
    expect([last.status_list, last.status_index]).toEqual([first.status_list, statusLists.list_size - 256]);
    const next = await createStatusIndices(db).reserve(now());
    expect(next.status_index).toBe(0);
    expect(next.status_list).not.toBe(first.status_list);
  });

  test('that were not used are used next, and a block that is ten minutes old is left alone', async () => {
    const { db, now } = await startIdp({ engine });
    const indices = createStatusIndices(db);
    const index = await indices.reserve(now());
    indices.giveBack(index);
    expect(await indices.reserve(now() + 599)).toEqual(index);
    expect((await indices.reserve(now() + 600)).status_index).toBe(index.status_index + 256);
  });

  test('make a list go when it is full and nothing names it any more, an hour after the last block', async () => {
    const idp = await startIdp({ engine });
    const { db, now } = idp;
    const { status_list } = await createStatusIndices(db).reserve(now());
    const left = async (later: number) => {
      await removeUnusedLists(db, now() + later);
      return statusLists.list(db);
    };
    expect(await left(99_999)).toEqual([status_list]); // it has room
    await db.run(setNext, { next_index: statusLists.list_size });
    expect(await left(3600)).toEqual([status_list]);
    const index = { status_list, status_index: 7 };
    await db.transaction((trx) => statusRevocations.insert(trx, index, now(), now() + 5));
    expect(await left(3601)).toEqual([status_list]);
    await db.run(
      statement((sql) => sql('status_revocations').delete()),
      {},
    );
    expect(await left(3601)).toEqual([]);
  });
});

test('a list with one per cent of its million entries revoked, here and there, is sent in less than 20 KiB', async () => {
  const { deps, now } = await startIdp();
  const bits = new StatusBits();
  let random = 1;
  for (let i = 0; i < 10_486; i += 1) {
    random = (random * 48_271) % 2_147_483_647; // MINSTD: the same bits each time
    bits.set(random % statusLists.list_size);
  }
  const times = { ttl: 15, lifetime: 600 };
  const { body, gzipped } = await signStatusList(
    await deps.keys.get(),
    'https://id.example/x',
    bits,
    times,
    now(),
  );
  expect(gzipped.length).toBeLessThan(20_480);
  expect(body.length).toBeLessThan(28_672);
  const { status_list } = decodeJwt<{ status_list: { lst: string } }>(body.toString());
  expect(inflateSync(Buffer.from(status_list.lst, 'base64url')).equals(bits.bytes)).toBe(true);
});
