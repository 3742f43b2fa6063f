import { describe, expect, test } from 'vitest';
import * as assertionIds from '../../src/store/assertion_ids.js';
import * as consents from '../../src/store/consents.js';
import * as credentials from '../../src/store/credentials.js';
import * as events from '../../src/store/events.js';
import * as users from '../../src/store/users.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

describe.each(engines)('on %s', (engine) => {
  test('the id of an assertion is taken once: of twenty at the same moment one has it (RFC 7523 §3)', async () => {
    const { db } = await startIdp({ engine });
    const taken = await Promise.all(Array.from({ length: 20 }, () => assertionIds.insert(db, 'jti', 2000)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect([
      await assertionIds.insert(db, 'other', 2000),
      await assertionIds.insert(db, 'jti', 9000),
    ]).toEqual([true, false]);
  });

  test('a password is renewed only while it is the one that was checked', async () => {
    const { db, addUser } = await startIdp({ engine });
    const { id: user_id } = await addUser();
    const { id = '', secret = '' } = (await credentials.find(db, user_id, 'password')) ?? {};
    const renewals = await Promise.all(
      Array.from({ length: 20 }, (_, i) => credentials.renew(db, id, secret, `renewed ${i}`, 2000)),
    );
    expect(renewals.filter(Boolean)).toHaveLength(1);
    expect((await credentials.find(db, user_id, 'password'))?.secret).toBe(
      `renewed ${renewals.indexOf(true)}`,
    );
    const lock = (expected: string) => db.transaction((trx) => credentials.lock(trx, id, expected));
    expect([await lock(secret), await lock(`renewed ${renewals.indexOf(true)}`)]).toEqual([false, true]);
  });

  test('a consent is one row for a user and a client, which holds what was agreed to last', async () => {
    const { db, addUser, addClient } = await startIdp({ engine });
    const { id: user_id } = await addUser();
    await addClient({}, 'shop');
    const row = { user_id, client_id: 'shop', approved: 'email', granted_at: 1, granted_request: null };
    await Promise.all(Array.from({ length: 10 }, () => consents.upsert(db, row)));
    const next = { ...row, approved: 'email profile', granted_at: 2, granted_request: 'r2' };
    await consents.upsert(db, next);
    expect(await consents.find(db, user_id, 'shop')).toEqual(next);
    expect(await consents.find(db, user_id, 'blog')).toBeUndefined();
  });

  test('an event is kept for as long as it is told, with what it is about and nothing else', async () => {
    const idp = await startIdp({ engine });
    const event = { type: 'signed_in', user_id: 'u1', session_id: 's1' } as const;
    const visit = { user_agent: 'Browser/1', address: '203.0.113.9' };
    await idp.db.transaction((trx) => events.record(trx, { ...event, visit }, 1000, 500));
    expect(await eventsOf(idp, 'signed_in')).toEqual([
      {
        id: expect.any(String),
        at: 1000,
        ...event,
        ...visit,
        client_id: null,
        detail: null,
        expires_at: 1500,
      },
    ]);
  });

  test('users come 500 at a time, in the order of their address', async () => {
    const { db } = await startIdp({ engine });
    const row = (email: string): users.UserRow => ({
      ...{ id: email, email, email_canonical: email, email_verified: 0, roles: '' },
      ...{ name: null, family_name: null, given_name: null, middle_name: null, nickname: null },
      ...{ preferred_username: null, profile: null, picture: null, website: null, gender: null },
      ...{ birthdate: null, zoneinfo: null, locale: null, phone_number: null, phone_number_verified: null },
      ...{
        address: null,
        created_at: 1,
        updated_at: 1,
        disabled_at: null,
        deletes_at: null,
        factor_due_at: null,
      },
    });
    const emails = Array.from({ length: 501 }, (_, i) => `u${String(i).padStart(3, '0')}@example.com`);
    await Promise.all(emails.toReversed().map((email) => users.insert(db, row(email))));
    const first = (await users.list(db, '')).map(({ email }) => email);
    expect(first).toEqual(emails.slice(0, 500));
    expect((await users.list(db, first.at(-1) ?? '')).map(({ email }) => email)).toEqual(emails.slice(500));
  });
});
