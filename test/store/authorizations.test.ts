import { describe, expect, test } from 'vitest';
import { newId } from '../../src/secrets.js';
import * as authorizations from '../../src/store/authorizations.js';
import * as sessions from '../../src/store/sessions.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

type Row = Parameters<typeof authorizations.upsert>[1];

async function start(engine: (typeof engines)[number]) {
  const idp = await startIdp({ engine });
  const { id: user_id } = await idp.addUser();
  await idp.addClient({}, 'shop');
  await idp.addClient({}, 'blog');
  for (const id of ['s1', 's2'])
    await idp.db.transaction((trx) => sessions.insert(trx, session(id, user_id)));
  let next_index = 0;
  const row = (changes: Partial<Row> = {}): Row => ({
    ...{ id: newId(), user_id, client_id: 'shop', sid: 's1', session_id: 's1' },
    ...{ created_at: 100, expires_at: 200, status_list: 'list', status_index: next_index++ },
    ...changes,
  });
  const tryUpsert = async (changes: Partial<Row> = {}, now = 100) =>
    (await idp.db.transaction((trx) => authorizations.upsert(trx, row(changes), now)))?.id;
  return {
    db: idp.db,
    user_id,
    tryUpsert,
    upsert: async (changes?: Partial<Row>) => {
      const id = await tryUpsert(changes);
      if (id === undefined) throw new Error('there is no such session');
      return id;
    },
    holder: async (id: string) => (await authorizations.findHolder(idp.db, id))?.id,
  };
}

function session(id: string, user_id: string): sessions.SessionRow {
  return {
    ...{ id, token_hash: `hash of ${id}`, user_id, auth_time: 1, proven_at: 1, amr: 'pwd', acr: '1' },
    ...{ auth_request: null, selected_at: 0, selected_request: null },
    ...{ created_at: 1, last_seen_at: 1, expires_at: 150, absolute_expires_at: 150 },
    ...{ user_agent: '', address: '' },
  };
}

describe.each(engines)('an authorization on %s', (engine) => {
  test('is one for a user, a client and a session, however many ask for it at once (decisions 7)', async () => {
    const { upsert } = await start(engine);
    const ids = await Promise.all(Array.from({ length: 20 }, () => upsert()));
    expect(new Set(ids).size).toBe(1);
    const others = [
      await upsert({ sid: 's2', session_id: 's2' }),
      await upsert({ client_id: 'blog' }),
      await upsert({ session_id: '' }),
    ];
    expect(new Set([...ids, ...others]).size).toBe(4);
  });

  test('is made only while the session it is for lives, and belongs to that user', async () => {
    const { db, user_id, tryUpsert, upsert } = await start(engine);
    expect(await tryUpsert({}, 149)).toBe(await upsert());
    expect(await tryUpsert({}, 150)).toBeUndefined(); // over, also for one that is there
    expect(await tryUpsert({ sid: 's3', session_id: 's3' })).toBeUndefined();
    expect(await tryUpsert({ user_id: newId() })).toBeUndefined();
    await db.transaction((trx) => sessions.removeAll(trx, user_id));
    expect(await tryUpsert()).toBeUndefined();
  });

  test('that was revoked stays so, and the next one is another', async () => {
    const { db, upsert, holder, user_id } = await start(engine);
    const first = await upsert();
    expect(await holder(first)).toBe(user_id);
    const revoke = (id: string) => db.transaction((trx) => authorizations.revoke(trx, id, 150));
    expect([await revoke(first), await revoke(first)]).toEqual([true, false]);
    const second = await upsert();
    expect(second).not.toBe(first);
    expect([await holder(first), await holder(second)]).toEqual([undefined, user_id]);
  });

  test('is revoked with its session, its user or its client, and with no other', async () => {
    const { db, upsert, holder, user_id } = await start(engine);
    const all = async () => [
      await upsert({ session_id: 's1' }),
      await upsert({ sid: 's2', session_id: 's2' }),
      await upsert({ session_id: 's1', client_id: 'blog' }),
      await upsert({ session_id: '' }),
    ];
    const living = async (ids: string[]) => {
      const holders = await Promise.all(ids.map(holder));
      return holders.map((id) => id === user_id);
    };
    let ids = await all();
    expect(await db.transaction((trx) => authorizations.revokeBySessions(trx, ['s1'], 1))).toBe(2);
    expect(await living(ids)).toEqual([false, true, false, true]);
    ids = await all();
    expect(await db.transaction((trx) => authorizations.revokeByClient(trx, 'blog', 1))).toBe(1);
    expect(await living(ids)).toEqual([true, true, false, true]);
    expect(await db.transaction((trx) => authorizations.revokeByUser(trx, user_id, 1))).toBe(3);
    expect(await living(ids)).toEqual([false, false, false, false]);
    expect(await db.transaction((trx) => authorizations.revokeByUser(trx, 'nobody', 1))).toBe(0);
  });
});
