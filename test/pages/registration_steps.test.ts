/** Making an account, each step given what it did not ask for. Hardening row 13. */
import { describe, expect, test } from 'vitest';
import { statement } from '../../src/store/statement.js';
import type { UserRow } from '../../src/store/users.js';
import { countRows } from '../support/authorize.js';
import { formOf } from '../support/browser.js';
import type { TestIdp } from '../support/idp.js';
import { linkIn } from '../support/mails.js';
import { ask, create, new_password as password, startOpen } from '../support/new_account.js';

const allUsers = statement<object, UserRow>((sql) => sql('users'));
const usersOf = (idp: TestIdp) => idp.db.all(allUsers, {});

describe('each step, given what it did not ask for,', () => {
  const wrong: readonly (readonly [string, (token: string) => [string, string][]])[] = [
    ['no field at all', () => []],
    [
      'a missing token',
      () => [
        ['name', 'G'],
        ['password', password],
      ],
    ],
    [
      'an empty token',
      () => [
        ['token', ''],
        ['name', 'G'],
        ['password', password],
      ],
    ],
    [
      'a token that was changed',
      (token) => [
        ['token', `${token.slice(0, -2)}AA`],
        ['name', 'G'],
        ['password', password],
      ],
    ],
    [
      'a repeated token',
      (token) => [
        ['token', token],
        ['token', token],
        ['name', 'G'],
        ['password', password],
      ],
    ],
    [
      'a missing name',
      (token) => [
        ['token', token],
        ['password', password],
      ],
    ],
    [
      'an empty name',
      (token) => [
        ['token', token],
        ['name', ' '],
        ['password', password],
      ],
    ],
    [
      'a name with a line break',
      (token) => [
        ['token', token],
        ['name', 'a\nb'],
        ['password', password],
      ],
    ],
    [
      'a name of a kilobyte',
      (token) => [
        ['token', token],
        ['name', 'a'.repeat(1024)],
        ['password', password],
      ],
    ],
    [
      'a missing password',
      (token) => [
        ['token', token],
        ['name', 'G'],
      ],
    ],
    [
      'a common password',
      (token) => [
        ['token', token],
        ['name', 'G'],
        ['password', 'password123'],
      ],
    ],
    [
      'a password made of the name',
      (token) => [
        ['token', token],
        ['name', 'Gracehopper'],
        ['password', 'gracehopper1'],
      ],
    ],
  ];

  test.each(wrong)('%s: refused with a page, nothing changes', async (_, fieldsOf) => {
    const idp = await startOpen();
    const browser = idp.browser();
    await ask(browser);
    const { csrf = '', token = '' } = formOf((await browser.get(await linkIn(idp))).html).hidden;
    const before = await countRows(idp);
    const body = new URLSearchParams([['csrf', csrf], ...fieldsOf(token)]);
    const answer = await browser.request('/create-account', { method: 'POST', body });
    expect([answer.status >= 400 && answer.status < 500, browser.cookies.has('sallyport_session')]).toEqual([
      true,
      false,
    ]);
    expect(await countRows(idp)).toEqual(before);
  });

  test('a link that was used: the account is not made again, and its password stays', async () => {
    const idp = await startOpen();
    const browser = idp.browser();
    await ask(browser);
    const path = await linkIn(idp);
    await create(browser, path);
    const again = await create(idp.browser(), path, { password: 'quite-another-marmalade-sofa' });
    expect([again.status, again.html.includes('There is an account with this address already')]).toEqual([
      409,
      true,
    ]);
    expect(await usersOf(idp)).toHaveLength(1);
  });
});
