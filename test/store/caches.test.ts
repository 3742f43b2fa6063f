import { describe, expect, test } from 'vitest';
import { disableClient, updateClient } from '../../src/actions/clients.js';
import * as cacheVersions from '../../src/store/cache_versions.js';
import { createCaches } from '../../src/store/caches.js';
import type { Db } from '../../src/store/db.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

/** A database that counts how often it is asked. */
function counting(db: Db): Db & { readonly asked: () => number } {
  let count = 0;
  const counted =
    <Args extends unknown[], R>(ask: (...args: Args) => R) =>
    (...args: Args) => {
      count += 1;
      return ask(...args);
    };
  return {
    ...db,
    all: counted(db.all) as Db['all'],
    first: counted(db.first) as Db['first'],
    asked: () => count,
  };
}

describe('what a process keeps in memory', () => {
  test('costs one look at the counters a second, and nothing else while nothing changes', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const db = counting(idp.db);
    let now = 1000;
    const caches = createCaches(db, () => now);
    await caches.client('shop');
    const first = db.asked();
    for (let i = 0; i < 100; i += 1) await caches.client('shop');
    expect(db.asked()).toBe(first);
    now += 1;
    for (let i = 0; i < 100; i += 1) await caches.client('shop');
    expect(db.asked()).toBe(first + 1);
  });

  test('never asks the database for what can be no client_id, and never keeps that there is none', async () => {
    const idp = await startIdp();
    const db = counting(idp.db);
    const caches = createCaches(db, () => 1000);
    for (const made_up of ['', 'a b', 'ä', 'a\u0000', 'x'.repeat(256)])
      expect(await caches.client(made_up)).toBeUndefined();
    expect(db.asked()).toBe(0);
    expect(await caches.client('shop')).toBeUndefined();
    await idp.addClient({}, 'shop');
    expect((await caches.client('shop'))?.client_id).toBe('shop');
  });

  test('holds at most a thousand clients, and still finds every one', async () => {
    const idp = await startIdp();
    const db = counting(idp.db);
    const caches = createCaches(db, () => 1000);
    await idp.addClient({}, 'shop');
    await caches.client('shop');
    for (let i = 0; i < 1001; i += 1) await caches.client(`nobody-${i}`); // strangers take nobody's place
    const before = db.asked();
    await caches.client('shop');
    expect(db.asked()).toBe(before);
  });

  test('is asked once by twenty that come at the same moment', async () => {
    const idp = await startIdp();
    const db = counting(idp.db);
    const caches = createCaches(db, () => 1000);
    let loads = 0;
    const kept = caches.keep('keys', async () => {
      loads += 1;
      return loads;
    });
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => kept.get())))).toEqual(new Set([1]));
    expect([loads, db.asked()]).toEqual([1, 1]);
  });

  test('survives a database that cannot be asked for a moment', async () => {
    const idp = await startIdp();
    let away = true;
    const db: Db = {
      ...idp.db,
      all: ((...args: Parameters<Db['all']>) =>
        away ? Promise.reject(new Error('away')) : idp.db.all(...args)) as Db['all'],
    };
    const caches = createCaches(db, () => 1000);
    await expect(caches.client('shop')).rejects.toThrow('away');
    away = false;
    expect(await caches.client('shop')).toBeUndefined();
  });
});

describe.each(engines)('a change on %s', (engine) => {
  test('is seen by its own process at once and by another within a second', async () => {
    const idp = await startIdp({ engine });
    const other = await anotherProcess(idp);
    await idp.addClient({ client_name: 'Shop' }, 'shop');
    const names = async () => [
      (await idp.deps.caches.client('shop'))?.client_name,
      (await other.caches.client('shop'))?.client_name,
    ];
    expect(await names()).toEqual(['Shop', 'Shop']);
    await updateClient(idp.deps, 'shop', { client_name: 'Market' }, idp.now());
    expect(await names()).toEqual(['Market', 'Shop']);
    idp.advance(1);
    expect(await names()).toEqual(['Market', 'Market']);
    await disableClient(other, 'shop', true, idp.now());
    idp.advance(1);
    expect((await idp.deps.caches.client('shop'))?.disabled_at).not.toBeNull();
  });

  test('raises its own counter alone, once for each of twenty at the same moment', async () => {
    const idp = await startIdp({ engine });
    const before = await cacheVersions.read(idp.db);
    await Promise.all(
      Array.from({ length: 20 }, () => idp.db.transaction((trx) => cacheVersions.bump(trx, 'resources'))),
    );
    const after = await cacheVersions.read(idp.db);
    expect(after).toEqual(new Map([...before, ['resources', (before.get('resources') ?? 0) + 20]]));
  });

  test('of an origin is known to CORS: those of redirect URIs and allowed_origins', async () => {
    const idp = await startIdp({ engine });
    expect(await idp.deps.caches.origins()).toEqual(new Set());
    await idp.addClient({ allowed_origins: ['https://spa.example'] }, 'shop');
    expect(await idp.deps.caches.origins()).toEqual(new Set(['https://spa.example', 'https://shop.example']));
  });
});
