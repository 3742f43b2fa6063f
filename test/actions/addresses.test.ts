/** One address, which many are about to be given at the same moment, each in another way. */
import { describe, expect, test } from 'vitest';
import { askForEmail } from '../../src/actions/change_email.js';
import { useEmailLink } from '../../src/actions/email_links.js';
import { importedUser, importUsers } from '../../src/actions/import_users.js';
import { addUser, insertUser, newUserRow } from '../../src/actions/users.js';
import { UserError } from '../../src/oauth/errors.js';
import * as users from '../../src/store/users.js';
import { engines } from '../support/database.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { lettersOf } from '../support/mails.js';

const email = 'one@example.com';
const visit = { user_agent: '', address: '192.0.2.1' };
const newUser = { email, email_verified: true, roles: [], claims: {}, password: null };

/** The tokens of the links by which so many people would get the address. */
async function askedFor(idp: TestIdp, count: number): Promise<readonly string[]> {
  for (let i = 0; i < count; i += 1) {
    const { id: user_id } = await idp.addUser({ email: `p${i}@example.com` });
    const from = { user_agent: '', address: `192.0.${i}.2` };
    await askForEmail(idp.deps, { user_id, email, visit: from, language: 'en' }, idp.now());
  }
  const letters = (await lettersOf(idp)).filter(({ to }) => to === email);
  return letters.map(({ link }) => new URL(link ?? '').searchParams.get('token') ?? '');
}

async function importOne({ deps, now }: TestIdp): Promise<void> {
  const given = { ...newUser, id: null, disabled: false, created_at: null, secret: null };
  const [outcome] = await importUsers(deps, [importedUser(given, now())], now());
  if (outcome !== 'added') throw new UserError('conflict', 'register.exists');
}

describe.each(engines)('on %s', (engine) => {
  test('of twenty at the same moment who change to it, are added or imported, one has it, and the others are told', async () => {
    const idp = await startIdp({ engine });
    const tokens = await askedFor(idp, 10);
    expect(tokens).toHaveLength(10);
    const ways = tokens.flatMap((token, i) => [
      async () => void (await useEmailLink(idp.deps, { token, visit }, idp.now())),
      async () => (i % 2 === 0 ? importOne(idp) : void (await addUser(idp.deps, newUser, idp.now()))),
    ]);
    const outcomes = await Promise.allSettled(ways.map((way) => way()));
    const refusals = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refusals).toHaveLength(19);
    expect(refusals.filter((one) => !(one instanceof UserError && one.code === 'conflict'))).toEqual([]);
    expect((await users.list(idp.db, '')).filter((user) => user.email === email)).toHaveLength(1);
  });

  test('who changes to it while somebody is being added with it, not committed yet, is told that it is taken', async () => {
    const idp = await startIdp({ engine });
    const tokens = await askedFor(idp, 10);
    const row = newUserRow(newUser, idp.now());
    const change = (token: string) => useEmailLink(idp.deps, { token, visit }, idp.now());
    let changes: Promise<readonly PromiseSettledResult<unknown>[]> = Promise.resolve([]);
    await idp.db.transaction(async (trx) => {
      await insertUser(trx, idp.deps, row, null);
      changes = Promise.allSettled(tokens.map(change));
      for (let i = 0; i < 200; i += 1) await users.find(trx, row.id); // long enough for the others to come to it
    });
    const told = await changes;
    expect(told).toMatchObject(tokens.map(() => ({ status: 'rejected', reason: { code: 'conflict' } })));
  });
});
