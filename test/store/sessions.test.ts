import { describe, expect, test } from 'vitest';
import { disableUser, enableUser } from '../../src/actions/users.js';
import * as sessions from '../../src/store/sessions.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

async function start(engine: (typeof engines)[number]) {
  const idp = await startIdp({ engine });
  const { id: user_id } = await idp.addUser();
  const session: sessions.SessionRow = {
    ...{ id: 's1', token_hash: 'h1', user_id, auth_time: 1000, proven_at: 1000 },
    ...{ amr: 'pwd', acr: '1', auth_request: null },
    ...{ selected_at: 1000, selected_request: null, created_at: 1000, last_seen_at: 1000 },
    ...{ expires_at: 2000, absolute_expires_at: 5000, user_agent: 'Browser/1', address: '203.0.113.9' },
  };
  await idp.db.transaction((trx) => sessions.insert(trx, session));
  const live = (token_hash: string, now: number) => sessions.findLive(idp.db, token_hash, now);
  return { idp, db: idp.db, session, user_id, live };
}

describe.each(engines)('a session on %s', (engine) => {
  test('lives until its end, to the second, and comes with its user', async () => {
    const { session, live } = await start(engine);
    expect(await live('h1', 1999)).toEqual({
      ...session,
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      roles: '',
      zoneinfo: null,
      deletes_at: null,
    });
    expect([await live('h1', 2000), await live('h2', 1500)]).toEqual([undefined, undefined]);
  });

  test('is not there for a user who is disabled', async () => {
    const { idp, live, user_id } = await start(engine);
    await disableUser(idp.deps, user_id, idp.now());
    await enableUser(idp.deps, user_id, idp.now());
    expect(await live('h1', 1500)).toBeUndefined();
  });

  test('in use lives longer, noted once a minute, never past its absolute end and not when it is over', async () => {
    const { db, live } = await start(engine);
    const seen = async (now: number, idle: number) => {
      await sessions.touch(db, 's1', now + idle, now);
      const row = await live('h1', 1);
      return [row?.last_seen_at, row?.expires_at];
    };
    expect(await seen(1060, 1000)).toEqual([1000, 2000]); // not a minute over yet
    expect(await seen(1061, 1000)).toEqual([1061, 2061]);
    expect(await seen(2000, 9000)).toEqual([2000, 5000]);
    expect(await seen(5000, 9000)).toEqual([2000, 5000]);
  });

  test('gets one new cookie: of twenty sign-ins at once that know the old one, one does it', async () => {
    const { db, session, live } = await start(engine);
    const renewals = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        db.transaction((trx) =>
          sessions.renew(trx, { ...session, token_hash: `n${i}`, auth_time: 1500 }, 'h1'),
        ),
      ),
    );
    expect(renewals.filter(Boolean)).toHaveLength(1);
    expect(await live('h1', 1600)).toBeUndefined();
    expect(await live(`n${renewals.indexOf(true)}`, 1600)).toMatchObject({ id: 's1', auth_time: 1500 });
  });

  test('ends once', async () => {
    const { db, user_id } = await start(engine);
    const remove = () => db.transaction((trx) => sessions.remove(trx, 's1'));
    expect((await Promise.all([remove(), remove(), remove()])).filter(Boolean)).toHaveLength(1);
    expect(await db.transaction((trx) => sessions.removeAll(trx, user_id))).toBe(0);
  });
});
