import { describe, expect, test } from 'vitest';
import * as passkeys from '../../src/store/passkeys.js';
import * as users from '../../src/store/users.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

const twenty = Array.from({ length: 20 }, (_, index) => index);

function row(user_id: string, changes: Partial<passkeys.PasskeyRow> = {}): passkeys.PasskeyRow {
  return {
    id: 'p1',
    user_id,
    credential_id: 'c1',
    public_key: 'key',
    sign_count: 0,
    name: 'Phone',
    aaguid: '00000000-0000-0000-0000-000000000000',
    transports: 'internal',
    backup_eligible: 1,
    backed_up: 0,
    stands_alone: 1,
    created_at: 1000,
    last_used_at: null,
    ...changes,
  };
}

describe.each(engines)('a passkey on %s', (engine) => {
  async function start() {
    const idp = await startIdp({ engine });
    const ada = (await idp.addUser()).id;
    const eve = (await idp.addUser({ email: 'eve@example.com' })).id;
    return { db: idp.db, ada, eve };
  }

  test('is one person’s: a credential id is registered once, also by twenty at the same moment', async () => {
    const { db, ada, eve } = await start();
    const added = await Promise.all(
      twenty.map((index) => passkeys.insert(db, row(index % 2 === 0 ? ada : eve, { id: `p${index}` }))),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
  });

  test('that counts is used with a higher number each time: of copies at the same moment one is', async () => {
    const { db, ada } = await start();
    await passkeys.insert(db, row(ada, { sign_count: 4 }));
    const use = (sign_count: number) =>
      db.transaction((trx) => passkeys.use(trx, { id: 'p1', sign_count, backed_up: 1, now: 2000 }));
    expect((await Promise.all(twenty.map(() => use(5)))).filter(Boolean)).toHaveLength(1);
    expect([await use(5), await use(4), await use(0), await use(6)]).toEqual([false, false, false, true]);
    expect(await passkeys.findByCredential(db, 'c1')).toEqual(
      row(ada, { sign_count: 6, backed_up: 1, last_used_at: 2000 }),
    );
  });

  test('that does not count stays at 0, and is used as often as one likes', async () => {
    const { db, ada } = await start();
    await passkeys.insert(db, row(ada));
    const use = (sign_count: number) =>
      db.transaction((trx) => passkeys.use(trx, { id: 'p1', sign_count, backed_up: 0, now: 2000 }));
    expect([await use(0), await use(0), await use(1), await use(0)]).toEqual([true, true, true, false]);
  });

  test('is renamed and removed by whom it belongs to alone', async () => {
    const { db, ada, eve } = await start();
    await passkeys.insert(db, row(ada));
    const rename = (user_id: string) => passkeys.rename(db, { id: 'p1', user_id, name: 'Laptop' });
    const remove = (user_id: string) => db.transaction((trx) => passkeys.remove(trx, { id: 'p1', user_id }));
    expect([await rename(eve), await remove(eve), await rename(ada)]).toEqual([false, false, true]);
    expect((await passkeys.list(db, ada)).map(({ name }) => name)).toEqual(['Laptop']);
    expect((await Promise.all(twenty.map(() => remove(ada)))).filter(Boolean)).toHaveLength(1);
  });

  test('goes with its person', async () => {
    const { db, ada, eve } = await start();
    await passkeys.insert(db, row(ada));
    await passkeys.insert(db, row(eve, { id: 'p2', credential_id: 'c2' }));
    await db.transaction((trx) => users.remove(trx, ada));
    expect([await passkeys.list(db, ada), await passkeys.list(db, eve)]).toMatchObject([[], [{ id: 'p2' }]]);
  });
});
