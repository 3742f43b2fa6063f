import { describe, expect, test } from 'vitest';
import * as federatedIdentities from '../../src/store/federated_identities.js';
import * as identityProviders from '../../src/store/identity_providers.js';
import { engines } from '../support/database.js';
import { providerRow } from '../support/identity_provider.js';
import { startIdp } from '../support/idp.js';

describe.each(engines)('on %s', (engine) => {
  async function start() {
    const idp = await startIdp({ engine });
    const { id: user_id } = await idp.addUser();
    const { id: other_id } = await idp.addUser({ email: 'bob@example.com' });
    const row = providerRow({ id: 'elsewhere', display_name: 'B' });
    await identityProviders.insert(idp.db, row);
    const identity = (id: string, of = user_id): federatedIdentities.FederatedIdentityRow => ({
      ...{ id, provider_id: 'elsewhere', subject: 's1', user_id: of, label: 'ada' },
      ...{ created_at: 1, last_used_at: 1 },
    });
    return { ...idp, db: idp.db, row, user_id, other_id, identity };
  }

  test('a subject of a provider is linked once: of twenty at the same moment one has it (hardening 10)', async () => {
    const { db, user_id, other_id, identity } = await start();
    const linked = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        federatedIdentities.insert(db, identity(`i${i}`, i % 2 === 0 ? user_id : other_id)),
      ),
    );
    expect(linked.filter(Boolean)).toHaveLength(1);
    const found = await federatedIdentities.findBySubject(db, { provider_id: 'elsewhere', subject: 's1' });
    expect(found?.id).toBe(`i${linked.indexOf(true)}`);
    const other = await federatedIdentities.findBySubject(db, { provider_id: 'elsewhere', subject: 'S1' });
    expect(other).toBeUndefined();
  });

  test('an identity is used and taken away for its own user alone', async () => {
    const { db, user_id, other_id, identity } = await start();
    await federatedIdentities.insert(db, identity('i1'));
    const touch = (of: string) =>
      db.transaction((trx) => federatedIdentities.touch(trx, { ...identity('i1', of), label: 'new' }, 9));
    expect([await touch(other_id), await touch(user_id)]).toEqual([false, true]);
    const after = { ...identity('i1'), label: 'new', last_used_at: 9 };
    expect(await federatedIdentities.listByUser(db, user_id)).toEqual([after]);
    const remove = (of: string) => db.transaction((trx) => federatedIdentities.remove(trx, 'i1', of));
    expect([await remove(other_id), await remove(user_id), await remove(user_id)]).toEqual([
      undefined,
      after,
      undefined,
    ]);
  });

  test('who changed a provider last is told when it was changed meanwhile', async () => {
    const { db, row } = await start();
    const update = (changes: object) =>
      db.transaction((trx) => identityProviders.update(trx, { ...row, ...changes }, 1));
    const both = [
      await update({ display_name: 'C', updated_at: 2 }),
      await update({ client_id: 'x', updated_at: 3 }),
    ];
    expect(both).toEqual([true, false]);
    expect(await identityProviders.find(db, 'elsewhere')).toEqual({
      ...row,
      display_name: 'C',
      updated_at: 2,
    });
  });

  test('a provider has its id alone, keeps its issuer, and takes its identities with it', async () => {
    const { db, row, user_id, identity } = await start();
    expect(await identityProviders.insert(db, row)).toBe(false);
    await identityProviders.insert(db, providerRow({ id: 'first', display_name: 'A' }));
    expect((await identityProviders.list(db)).map(({ id }) => id)).toEqual(['first', 'elsewhere']);
    await db.transaction((trx) =>
      identityProviders.update(trx, { ...row, issuer: 'https://other.example' }, 1),
    );
    expect(await identityProviders.find(db, 'elsewhere')).toMatchObject({ issuer: null });
    await federatedIdentities.insert(db, identity('i1'));
    const remove = () => db.transaction((trx) => identityProviders.remove(trx, 'elsewhere'));
    expect([await remove(), await remove()]).toEqual([true, false]);
    expect(await federatedIdentities.listByUser(db, user_id)).toEqual([]);
  });
});
