import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importedUser, importUsers } from '../../src/actions/import_users.js';
import { isClaimed } from '../../src/actions/setup.js';
import { addUser, setPassword } from '../../src/actions/users.js';
import { UserError } from '../../src/oauth/errors.js';
import * as credentials from '../../src/store/credentials.js';
import * as users from '../../src/store/users.js';
import { commandsOf } from '../support/cli.js';
import { engines } from '../support/database.js';
import { signIn } from '../support/flow.js';
import { newFolder } from '../support/folder.js';
import { password, startIdp, type TestIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

/** crypt_blowfish, wrapper.c: the password U*U. */
const password_hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const ada = {
  id: 'auth0|5f7c8ec7c33c6c004bbafe82',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  password_hash,
};
const grace = { email: 'grace@example.com', email_verified: true, given_name: 'Grace', roles: ['editor'] };

async function start(engine: (typeof engines)[number] = 'sqlite') {
  const idp = await startIdp({ engine });
  const folder = await newFolder();
  const fileOf = async (lines: readonly (object | string)[]) => {
    const path = join(folder, `${crypto.randomUUID()}.jsonl`);
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    await writeFile(path, `${text}\n`);
    return path;
  };
  return { idp, folder, fileOf, ...commandsOf(idp) };
}

async function enters(idp: TestIdp, email: string, tried: string): Promise<boolean> {
  const browser = idp.browser();
  return (await signIn(browser, await browser.get('/login'), { email, password: tried })).status === 200;
}

describe.each(engines)('sallyport users import on %s', (engine) => {
  test('adds people who sign in with the password they had, and keeps the sub that applications know', async () => {
    const { idp, fileOf, json } = await start(engine);
    const file = await fileOf([{ ...ada, address: { country: 'GB' }, created_at: 1_500_000_000 }, '', grace]);
    expect(await json('users', 'import', file)).toMatchObject({ added: 2, there: 0, failed: 0, lines: 3 });

    const row = await users.findByEmail(idp.db, 'ada@example.com');
    expect(row).toMatchObject({
      id: ada.id,
      name: 'Ada Lovelace',
      email_verified: 0,
      created_at: 1_500_000_000,
    });
    expect(row?.address).toBe('{"country":"GB"}');
    expect(await enters(idp, 'ada@example.com', 'U*U')).toBe(true);
    expect(await enters(idp, 'grace@example.com', 'U*U')).toBe(false); // without a hash there is no password
    const other = await users.findByEmail(idp.db, 'grace@example.com');
    expect(other).toMatchObject({ email_verified: 1, roles: 'editor', phone_number_verified: null });
    expect(await eventsOf(idp, 'user_added')).toHaveLength(2);
  });

  test('run again adds nobody twice and puts no old hash in the place of a newer password', async () => {
    const { idp, fileOf, json } = await start(engine);
    const file = await fileOf([ada, grace]);
    await json('users', 'import', file);
    await setPassword(idp.deps, ada.id, password, idp.now());
    expect(await json('users', 'import', file)).toMatchObject({ added: 0, there: 2, failed: 0 });
    expect(await enters(idp, ada.email, password)).toBe(true);
    expect(await enters(idp, ada.email, 'U*U')).toBe(false);
  });

  test('goes on where it was interrupted, over many batches', async () => {
    const { fileOf, json } = await start(engine);
    const people = Array.from({ length: 1300 }, (_, i) => ({ id: `p-${i}`, email: `p${i}@example.com` }));
    expect(await json('users', 'import', await fileOf(people.slice(0, 700)))).toMatchObject({ added: 700 });
    const whole = await json('users', 'import', await fileOf(people));
    expect(whole).toMatchObject({ lines: 1300, added: 600, there: 700, failed: 0 });
  });

  test('takes one of two lines that are the same person, and says when an address is somebody else’s', async () => {
    const { idp, fileOf, run } = await start(engine);
    const file = await fileOf([
      ada,
      { ...ada, name: 'Another' },
      { ...ada, id: 'other' },
      { id: ada.id, email: 'a@b.example' },
    ]);
    const { code, out, err } = await run('users', 'import', file);
    expect([code, out]).toEqual([1, '1 added, 2 there already, 1 failed.\n']);
    expect(err).toContain(`line 3: email: ada@example.com belongs to somebody with another id, ${ada.id}\n`);
    expect(err).toContain('1 of 4 lines failed.');
    expect(await users.find(idp.db, ada.id)).toMatchObject({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
  });

  test('twenty at once, beside somebody who adds the same person, make one account', async () => {
    const { idp } = await start(engine);
    const input = {
      ...grace,
      claims: {},
      id: null,
      disabled: false,
      created_at: null,
      secret: password_hash,
    };
    const attempts = Array.from({ length: 20 }, () =>
      importUsers(idp.deps, [importedUser(input, idp.now())], idp.now()).then(([outcome]) => outcome),
    );
    const added = addUser(idp.deps, { ...input, password }, idp.now()).then(
      () => 'added',
      (error: unknown) => (error instanceof UserError ? 'there' : error),
    );
    const outcomes = await Promise.all([...attempts, added]);
    expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'there')).toHaveLength(20);
    expect(await users.list(idp.db, '')).toHaveLength(1);
    const [one] = await users.list(idp.db, '');
    expect(await credentials.findAll(idp.db, [one?.id ?? ''], 'password')).toHaveLength(1);
  });

  test('of what export printed gives the same people, with their passwords', async () => {
    const from = await start(engine);
    const line = { ...ada, birthdate: '1815-12-10', phone_number: '+44 1', phone_number_verified: true };
    await from.json('users', 'import', await from.fileOf([line, { ...grace, disabled: true }]));
    const { out } = await from.run('users', 'export', '--hashes');
    const without = await from.run('users', 'export');
    expect(without.out).not.toContain('password_hash');
    expect(without.out.split('\n')).toHaveLength(3);

    const to = await start(engine);
    to.type(out);
    expect(await to.json('users', 'import', '-')).toMatchObject({ added: 2, failed: 0 });
    expect((await to.run('users', 'export', '--hashes')).out).toBe(out);
    expect(await enters(to.idp, ada.email, 'U*U')).toBe(true);
  });
});

describe('sallyport users import', () => {
  test.each([
    ['is not JSON', '{"email":', 'is not JSON'],
    ['is an array', '[]', 'person'],
    ['is text', '"ada@example.com"', 'person'],
    ['has no address', { name: 'Ada' }, 'email'],
    ['has an address that is none', { email: 'ada' }, 'is not an email address'],
    ['has a verified flag that is text', { email: 'a@b.example', email_verified: 'yes' }, 'email_verified'],
    ['has an unknown member', { email: 'a@b.example', passwort: 'x' }, 'passwort'],
    ['has a password in plain text', { email: 'a@b.example', password: 'correct horse' }, 'password'],
    ['has a claim of another type', { email: 'a@b.example', name: 7 }, 'name'],
    ['has a website that is none', { email: 'a@b.example', website: 'javascript:alert(1)' }, 'website'],
    ['has an id with a space', { email: 'a@b.example', id: 'a b' }, 'id'],
    ['has an id that is empty', { email: 'a@b.example', id: '' }, 'id'],
    ['has an id of 256 characters', { email: 'a@b.example', id: 'x'.repeat(256) }, 'id'],
    ['has a role of two words', { email: 'a@b.example', roles: ['a b'] }, 'role'],
    ['was made tomorrow', { email: 'a@b.example', created_at: 99_999_999_999 }, 'created_at'],
    ['holds half a character', '{"email":"a@b.example","name":"\\ud800"}', 'no character'],
    ['holds a NUL', '{"email":"a@b.example","website":"https://a.example/\\u0000"}', 'website'],
    ['has a hash that is none', { email: 'a@b.example', password_hash: 'hunter2' }, 'password hash'],
    [
      'has a hash that would cost hours',
      { email: 'a@b.example', password_hash: password_hash.replace('05', '31') },
      'cost 31',
    ],
    ['is longer than a mebibyte', `{"email":"${'a'.repeat(1_100_000)}@b.example"}`, 'mebibyte'],
  ])('names the line that %s, takes the others, and exits 1', async (_, line, reason) => {
    const { idp, fileOf, run } = await start();
    const { code, out, err } = await run('users', 'import', await fileOf([grace, line, ada]));
    expect([code, out]).toEqual([1, '2 added, 0 there already, 1 failed.\n']);
    expect(err).toMatch(/^line 2: /);
    expect(err).toContain(reason);
    expect(await users.list(idp.db, '')).toHaveLength(2);
  });

  test('refuses a line that is not UTF-8', async () => {
    const { folder, run } = await start();
    const file = join(folder, 'latin1.jsonl');
    await writeFile(file, Buffer.from('{"email":"ada@example.com","name":"Zo\u00eb"}', 'latin1'));
    expect(await run('users', 'import', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('UTF-8'),
    });
  });

  test('takes a byte order mark, CR LF and a last line without an end', async () => {
    const { folder, json } = await start();
    const file = join(folder, 'windows.jsonl');
    await writeFile(file, `\ufeff${JSON.stringify(ada)}\r\n\r\n${JSON.stringify(grace)}`);
    expect(await json('users', 'import', file)).toMatchObject({ added: 2, lines: 3 });
  });

  test('--errors writes the lines that failed to a file that nobody else reads', async () => {
    const { folder, fileOf, run } = await start();
    const path = join(folder, 'errors.jsonl');
    const { code, err } = await run('users', 'import', await fileOf([{ email: 'x' }, ada]), '--errors', path);
    expect([code, err]).toEqual([1, '1 of 2 lines failed.\n']);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      line: 1,
      error: 'email: is not an email address',
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('--dry-run says what would be, and adds nobody', async () => {
    const { idp, fileOf, json, run } = await start();
    const file = await fileOf([ada, ada, { ...grace, roles: ['admin'] }]);
    expect(await json('users', 'import', file, '--dry-run')).toMatchObject({
      added: 2,
      there: 1,
      dry_run: true,
    });
    expect((await run('users', 'import', file, '--dry-run')).out).toBe(
      '2 would be added, 1 there already, 0 failed.\n',
    );
    expect(await users.list(idp.db, '')).toEqual([]);
    expect(await isClaimed(idp.deps)).toBe(false);
    await json('users', 'import', file);
    expect(await isClaimed(idp.deps)).toBe(true); // decisions 22
    expect(await json('users', 'import', file, '--dry-run')).toMatchObject({ added: 0, there: 3 });
  });

  test.each([
    [['nowhere.jsonl'], 'ENOENT'],
    [['-', '--errors', '/nowhere/errors.jsonl'], 'ENOENT'],
    [['-', '--from', 'firebase', '--hash-config', 'nowhere.json'], 'ENOENT'],
  ])('says so where there is no file: %j', async (args, reason) => {
    const { run, type } = await start();
    type('');
    expect(await run('users', 'import', ...args)).toMatchObject({
      code: 1,
      err: expect.stringContaining(reason),
    });
  });

  test('does not know other systems than it says', async () => {
    const { run } = await start();
    expect(await run('users', 'import', '-', '--from', 'okta')).toMatchObject({ code: 2 });
  });
});
