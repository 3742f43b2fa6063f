/** Somebody asks for many addresses and measures how long a wrong password takes. Hardening row 16; decisions 34. */
import { expect, test } from 'vitest';
import { importedUser, importUsers } from '../../src/actions/import_users.js';
import { engines } from '../support/database.js';
import { signIn } from '../support/flow.js';
import { countingGate, startIdp } from '../support/idp.js';

const bcrypt = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

test.each(engines)(
  'an address that nobody has is checked against a hash like those that were imported, always the same (on %s)',
  async (engine) => {
    const gate = countingGate();
    const checked: string[] = [];
    const hashing = {
      ...gate,
      verify(hash: string, password: string, alongside?: string) {
        checked.push(hash);
        return gate.verify(hash, password, alongside);
      },
    };
    const idp = await startIdp({ engine, substitutes: { hashing } });
    const people = Array.from({ length: 60 }, (_, i) => {
      const secret = i % 2 === 0 ? bcrypt : `$scrypt$ln=4,r=8,p=1$c2FsdA$${'A'.repeat(43)}`;
      const input = { email: `p${i}@example.com`, email_verified: true, roles: [], claims: {}, secret };
      return importedUser({ ...input, id: null, disabled: false, created_at: null }, idp.now());
    });
    await importUsers(idp.deps, people, idp.now());

    const tried = Array.from({ length: 24 }, (_, i) => `nobody${i}@example.com`);
    const seen = async (email: string) => {
      checked.length = 0;
      const browser = idp.browser();
      // U*U is the password of half of the people there are: it lets nobody in who is not there.
      const answer = await signIn(browser, await browser.get('/login'), { email, password: 'U*U' });
      expect([answer.status, checked.length]).toEqual([400, 1]);
      return checked[0]?.split('$')[1];
    };
    const kinds: (string | undefined)[] = [];
    for (const email of tried) kinds.push(await seen(email));
    expect(kinds.filter((kind) => kind === '2a').length).toBeGreaterThan(2);
    expect(kinds.filter((kind) => kind === 'scrypt').length).toBeGreaterThan(2);
    expect(await seen(tried[0] ?? '')).toBe(kinds[0]);
    expect(await seen(tried[1] ?? '')).toBe(kinds[1]);
  },
);
