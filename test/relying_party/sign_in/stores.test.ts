/** One suite for every session store: in memory, and by knex on both engines. */
import knex from 'knex';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createSessionTables,
  knexSessions,
  memorySessions,
  type SessionStore,
  type StoredSession,
  sessionTables,
} from '../../../src/relying_party/sign_in/index.js';
import { emptyDatabase } from '../../support/database.js';

const openKnex = async (engine: 'sqlite' | 'postgres') => {
  const database = await emptyDatabase(engine);
  const db = knex(
    engine === 'sqlite'
      ? {
          client: 'sqlite3',
          connection: { filename: database.url.slice('sqlite:'.length) },
          useNullAsDefault: true,
        }
      : { client: 'pg', connection: database.url },
  );
  onTestFinished(async () => {
    await db.destroy();
    await database.drop();
  });
  await createSessionTables(db);
  await createSessionTables(db); // as at the second start
  return knexSessions(db);
};

const stores: readonly (readonly [string, () => Promise<SessionStore>])[] = [
  ['in memory', async () => memorySessions()],
  ['by knex on SQLite', () => openKnex('sqlite')],
  ['by knex on PostgreSQL', () => openKnex('postgres')],
];

const stored = (changes: Partial<StoredSession> = {}): StoredSession => ({
  digest: 'd1',
  iss: 'https://id.example',
  sub: 'ada',
  sid: 's1',
  sealed: 'x',
  version: 0,
  created_at: 1000,
  expires_at: 2000,
  ...changes,
});

describe.each(stores)('sessions %s', (_, open) => {
  test('are found by their digest until they expire', async () => {
    const store = await open();
    await store.insert(stored({ sid: null }));
    expect(await store.find('d1', 1999)).toEqual(stored({ sid: null }));
    expect(await store.find('d2', 1000)).toBeUndefined();
    expect(await store.find('d1', 2000)).toBeUndefined();
  });

  test('are replaced by one of those who read the same version', async () => {
    const store = await open();
    await store.insert(stored());
    const won = await Promise.all(['a', 'b', 'c', 'd'].map((sealed) => store.replace('d1', 0, sealed)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await store.find('d1', 1000)).toMatchObject({ sealed: 'abcd'[won.indexOf(true)], version: 1 });
    expect(await store.replace('d1', 1, 'e')).toBe(true);
    expect(await store.replace('gone', 0, 'e')).toBe(false);
  });

  test('end once, and only in the version that is named', async () => {
    const store = await open();
    await store.insert(stored({ version: 3 }));
    expect(await store.remove('d1', 2)).toBe(false);
    expect(await store.remove('d1', 3)).toBe(true);
    expect(await store.remove('d1')).toBe(false);
    expect(await store.replace('d1', 3, 'y')).toBe(false);
    expect(await store.find('d1', 1000)).toBeUndefined();
  });

  test('end by the session of the provider, and of that provider alone', async () => {
    const store = await open();
    await store.insert(stored());
    await store.insert(stored({ digest: 'd2' }));
    await store.insert(stored({ digest: 'd3', sid: 's2' }));
    await store.insert(stored({ digest: 'd4', iss: 'https://other.example' }));
    await store.insert(stored({ digest: 'd5', sid: null }));
    expect(await store.removeBySid('https://id.example', 's1')).toBe(2);
    expect(await store.removeBySid('https://id.example', 's1')).toBe(0);
    const left = await Promise.all(['d1', 'd2', 'd3', 'd4', 'd5'].map((digest) => store.find(digest, 1000)));
    expect(left.map((session) => session?.digest)).toEqual([undefined, undefined, 'd3', 'd4', 'd5']);
  });

  test('end by the person, whatever their session there', async () => {
    const store = await open();
    await store.insert(stored());
    await store.insert(stored({ digest: 'd2', sid: null }));
    await store.insert(stored({ digest: 'd3', sub: 'bob' }));
    expect(await store.removeBySub('https://id.example', 'ada')).toBe(2);
    expect(await store.find('d3', 1000)).toBeDefined();
  });

  test('a key is claimed by one of those who try at once, and again when it expired', async () => {
    const store = await open();
    const won = await Promise.all(Array.from({ length: 10 }, () => store.claim('k', 1500, 1000)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await store.claim('k', 1500, 1499)).toBe(false);
    expect(await store.claim('other', 1500, 1000)).toBe(true);
    expect(await store.claim('k', 1900, 1500)).toBe(true);
    await store.insert(stored({ created_at: 1600 }));
    expect(await store.claim('k', 1900, 1600)).toBe(false);
  });
});

describe('the store in memory', () => {
  test('keeps so many sessions, and forgets the one that was used longest ago', async () => {
    const store = memorySessions({ max: 2 });
    await store.insert(stored({ digest: 'd1' }));
    await store.insert(stored({ digest: 'd2' }));
    await store.find('d1', 1000);
    await store.insert(stored({ digest: 'd3' }));
    const left = await Promise.all(['d1', 'd2', 'd3'].map((digest) => store.find(digest, 1000)));
    expect(left.map((session) => session?.digest)).toEqual(['d1', undefined, 'd3']);
  });

  test('keeps so many claims', async () => {
    const store = memorySessions({ max: 2 });
    for (const key of ['a', 'b', 'c']) await store.claim(key, 2000, 1000);
    expect([await store.claim('c', 2000, 1000), await store.claim('a', 2000, 1000)]).toEqual([false, true]);
  });
});

test.each(['', 'Sessions', 'a b', 'x;drop table y', `a${'b'.repeat(40)}`])(
  'a prefix %j makes no table',
  (prefix) => {
    expect(() => sessionTables({ prefix })).toThrow(TypeError);
    expect(() => knexSessions((() => undefined) as never, { prefix })).toThrow(TypeError);
  },
);
