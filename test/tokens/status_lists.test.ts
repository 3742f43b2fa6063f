/** What a process that reads revocations must not miss, however late they are committed. Decisions 27. */
import { inflateSync } from 'node:zlib';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Db } from '../../src/store/db.js';
import { reserve } from '../../src/store/status_lists.js';
import { insert } from '../../src/store/status_revocations.js';
import { createStatusLists } from '../../src/tokens/status_lists.js';
import { startIdp, type TestIdp } from '../support/idp.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const revoke = (db: Db, status_index: number) =>
  db.transaction((trx) => insert(trx, { status_list: 'l1', status_index }, 1, 9_999_999_999));

/** Revokes in a transaction that stays open until the function it gives is called. */
async function begin(db: Db, status_index: number): Promise<() => Promise<void>> {
  let commit = () => {};
  const held = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let ended: Promise<void> = held;
  await new Promise<void>((written) => {
    ended = db.transaction(async (trx) => {
      await insert(trx, { status_list: 'l1', status_index }, 1, 9_999_999_999);
      written();
      await held;
    });
  });
  return () => {
    commit();
    return ended;
  };
}

/** The bit of an index in a list as it is published. */
function bitIn(jwt: string, index: number): number {
  const { status_list } = decodeJwt<{ status_list: { lst: string } }>(jwt);
  const bytes = inflateSync(Buffer.from(status_list.lst, 'base64url'));
  return ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1;
}

/** A process on the database of a server, which can be slow to answer it. */
function processOn({ db, deps, config }: TestIdp) {
  const slow = { ms: 0 };
  const answering: Db = {
    ...db,
    async all(statement, values) {
      vi.advanceTimersByTime(slow.ms);
      slow.ms = 0;
      return db.all(statement, values);
    },
  };
  const lists = createStatusLists({ db: answering, keys: deps.keys, config });
  onTestFinished(() => lists.close());
  const told: number[] = [];
  lists.listen((revocations) => told.push(...revocations.map(({ status_index }) => status_index)));
  return {
    lists,
    told,
    /** Reads, `after_ms` later than before; the reading takes so long. */
    async read(after_ms: number, takes_ms = 0) {
      vi.advanceTimersByTime(after_ms);
      slow.ms = takes_ms;
      await lists.current();
    },
  };
}

describe('a revocation that is committed late is told', () => {
  test.each<[string, readonly (readonly [number, number?])[]]>([
    ['after others that were written later, within ten seconds', [[150], [9000]]],
    ['after a reading that took long and saw these', [[150, 11_000], [150]]],
    ['after others were seen and the database hung', [[150], [150, 30_000], [150]]],
  ])('%s', async (_, readings) => {
    const idp = await startIdp({ engine: 'postgres' });
    const { told, read } = processOn(idp);
    await read(1);
    const commit = await begin(idp.db, 1);
    await revoke(idp.db, 2);
    for (const [after_ms, takes_ms] of readings) await read(after_ms, takes_ms);
    expect(told).toEqual([2]);
    await commit();
    await read(150);
    expect(told).toEqual([2, 1]);
    await read(150);
    expect(told).toEqual([2, 1]);
  });
});

test('one that is committed late behind a thousand others is in the list of a process that has just started', async () => {
  const idp = await startIdp({ engine: 'postgres' });
  await reserve(idp.db, 1, 'l1', 1);
  const commit = await begin(idp.db, 1);
  await idp.db.transaction(async (trx) => {
    for (let index = 2; index < 1100; index += 1)
      await insert(trx, { status_list: 'l1', status_index: index }, 1, 9_999_999_999);
  });
  const { lists } = processOn(idp);
  const bit = async () => bitIn((await lists.published('l1', idp.now()))?.body.toString() ?? '', 1);
  vi.advanceTimersByTime(1);
  expect(await bit()).toBe(0);
  await commit();
  vi.advanceTimersByTime(9000);
  expect(await bit()).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(await bit()).toBe(1);
});
