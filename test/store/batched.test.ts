import { describe, expect, test } from 'vitest';
import { batched } from '../../src/store/batched.js';
import type { Db } from '../../src/store/db.js';

interface Row {
  readonly key: string;
  readonly read_in: number;
}

/** A read that answers when it is told to, with a row for each key but `nobody`. */
function start() {
  const db = {} as Db;
  const reads: string[][] = [];
  const answers: ((error?: Error) => void)[] = [];
  const load = batched<Row>(
    (_, keys) =>
      new Promise((resolve, reject) => {
        const asked = JSON.parse(keys) as string[];
        reads.push(asked);
        const read_in = reads.length;
        const rows = asked.filter((key) => key !== 'nobody').map((key) => ({ key, read_in }));
        answers.push((error) => (error === undefined ? resolve(rows.toReversed()) : reject(error)));
      }),
    (row) => row.key,
  );
  const answer = async (error?: Error) => {
    answers.at(-1)?.(error);
    await new Promise(setImmediate);
  };
  return { load: (key: string) => load(db, key), load_of: load, reads, answer };
}

describe('reads put together', () => {
  test('go out at once where none is on its way, and together where one is', async () => {
    const { load, reads, answer } = start();
    const all = Promise.all(['a', 'b', 'c'].map(load));
    expect(reads).toEqual([['a']]);
    await answer();
    expect(reads).toEqual([['a'], ['b', 'c']]);
    await answer();
    expect(await all).toEqual([
      { key: 'a', read_in: 1 },
      { key: 'b', read_in: 2 },
      { key: 'c', read_in: 2 },
    ]);
  });

  test('are made after they were asked for, also for a key that is being read', async () => {
    const { load, reads, answer } = start();
    const [first, second, third] = [load('a'), load('a'), load('a')];
    await answer();
    await answer();
    expect(reads).toEqual([['a'], ['a']]);
    expect([await first, await second, await third].map((row) => row?.read_in)).toEqual([1, 2, 2]);
  });

  test('give undefined for a key without a row', async () => {
    const { load, answer } = start();
    const nobody = load('nobody');
    await answer();
    expect(await nobody).toBeUndefined();
  });

  test('fail together, and the next ones do not', async () => {
    const { load, answer } = start();
    const outcomes = Promise.allSettled(['a', 'b', 'c'].map(load));
    await answer();
    await answer(new Error('the disk is gone'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    const next = load('d');
    await answer();
    expect(await next).toMatchObject({ key: 'd' });
  });

  test('are 64 at most', async () => {
    const { load, reads, answer } = start();
    const all = Promise.all(Array.from({ length: 130 }, (_, i) => load(String(i))));
    for (let i = 0; i < 4; i += 1) await answer();
    expect(await all).toHaveLength(130);
    expect(reads.map((keys) => keys.length)).toEqual([1, 64, 64, 1]);
  });

  test('of two databases know nothing of each other', async () => {
    const { load_of, reads } = start();
    void load_of({} as Db, 'a');
    void load_of({} as Db, 'a');
    expect(reads).toEqual([['a'], ['a']]);
  });
});
