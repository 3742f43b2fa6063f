import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isClaimed } from '../../src/actions/setup.js';
import * as users from '../../src/store/users.js';
import { commandsOf } from '../support/cli.js';
import { signIn } from '../support/flow.js';
import { newFolder } from '../support/folder.js';
import { type IdpOptions, password, startIdp, type TestIdp } from '../support/idp.js';
import { givePasskey } from '../support/passkeys.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  return { idp, ...commandsOf(idp) };
}

async function mayEnter(idp: TestIdp, tried: string): Promise<boolean> {
  const browser = idp.browser();
  return (await signIn(browser, await browser.get('/login'), { password: tried })).status === 200;
}

describe('sallyport users add', () => {
  test('adds a person who can sign in at once, and prints sub and claims', async () => {
    const { idp, json, type } = await start();
    type(`${password}\n`);
    const printed = await json(
      ...[
        'users',
        'add',
        'ada@example.com',
        '--name',
        'Ada Lovelace',
        '--role',
        'editor',
        '--role',
        'author',
      ],
      ...['--email-verified', '--password-stdin'],
    );
    const row = await users.findByEmail(idp.db, 'ada@example.com');
    expect(printed).toEqual({
      sub: row?.id,
      name: 'Ada Lovelace',
      updated_at: row?.updated_at,
      email: 'ada@example.com',
      email_verified: true,
      roles: ['editor', 'author'],
      created_at: row?.created_at,
      disabled_at: null,
    });
    expect(await mayEnter(idp, password)).toBe(true);
  });

  test('prints the same for people, a line for each', async () => {
    const { run, type } = await start();
    type(password);
    const { code, out, err } = await run('users', 'add', 'ada@example.com', '--password-stdin');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^sub: [\w-]{22}\n/);
    expect(out).toContain('\nemail: ada@example.com\n');
    expect(out).not.toContain(password);
  });

  test('takes claims from a file; --name wins', async () => {
    const { json, type } = await start();
    const file = join(await newFolder(), 'ada.json');
    await writeFile(file, JSON.stringify({ name: 'A. L.', nickname: 'ada', birthdate: '1815-12-10' }));
    type(password);
    expect(
      await json('users', 'add', 'ada@example.com', '--claims', file, '--name', 'Ada', '--password-stdin'),
    ).toMatchObject({ name: 'Ada', nickname: 'ada', birthdate: '1815-12-10', email_verified: false });
  });

  test('with the role admin claims the server (decisions 22)', async () => {
    const { idp, json, type } = await start();
    type(password);
    await json('users', 'add', 'root@example.com', '--role', 'admin', '--password-stdin');
    expect(await isClaimed(idp.deps)).toBe(true);
  });

  test.each([
    ['the line break behind it', `${password}\r\n`, true],
    ['a second line', `${password}\nmore\n`, false],
    ['nothing', '', null],
    ['more than anybody types', 'x'.repeat(5000), null],
  ])('reads the password from standard input, with %s', async (_, typed, opens) => {
    const { idp, run, type } = await start();
    type(typed);
    const { code } = await run('users', 'add', 'ada@example.com', '--password-stdin');
    expect(code).toBe(opens === null ? 1 : 0);
    if (opens !== null) expect(await mayEnter(idp, password)).toBe(opens);
  });

  test('asks on a terminal alone: without one it says what to do', async () => {
    const { run, type } = await start();
    type('');
    expect(await run('users', 'add', 'ada@example.com')).toEqual({
      code: 1,
      out: '',
      err: 'There is no terminal to ask for a password at; use --password-stdin.\n',
    });
  });

  test.each([
    ['no email address', ['ada'], /is not an email address/],
    ['a role of two words', ['ada@example.com', '--role', 'chief editor'], /role: must be one word/],
    [
      'a claims file that is not there',
      ['ada@example.com', '--claims', '/nothing.json'],
      /\/nothing\.json: ENOENT/,
    ],
  ])('refuses %s with a sentence', async (_, args, sentence) => {
    const { idp, run, type } = await start();
    type(password);
    const { code, out, err } = await run('users', 'add', ...args, '--password-stdin');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(sentence);
    expect(await users.list(idp.db, '')).toEqual([]);
  });

  test.each([
    ['no JSON', '{name: Ada}'],
    ['a list', '["Ada"]'],
    ['a text', '"Ada"'],
    ['null', 'null'],
  ])('refuses a claims file that holds %s, and names it', async (_, text) => {
    const { run, type } = await start();
    const file = join(await newFolder(), 'ada.json');
    await writeFile(file, text);
    type(password);
    const { code, err } = await run('users', 'add', 'ada@example.com', '--claims', file, '--password-stdin');
    expect([code, err.startsWith(`${file}: `), err]).toEqual([
      1,
      true,
      expect.not.stringContaining('    at '),
    ]);
  });

  test('refuses an address that is taken', async () => {
    const { idp, run, type } = await start();
    await idp.addUser();
    type(password);
    expect(await run('users', 'add', 'ADA@example.com', '--password-stdin')).toMatchObject({
      code: 1,
      err: 'There is a user with the address ADA@example.com already.\n',
    });
  });
});

describe('sallyport users', () => {
  test('list tells everybody in the order of their address, page by page', async () => {
    const { idp, json, run } = await start();
    expect((await run('users', 'list')).out).toBe('There is nobody yet.\n');
    for (const email of ['cy@example.com', 'ada@example.com', 'bob@example.com'])
      await idp.addUser({ email });
    const emails = async (...args: string[]) =>
      (await json('users', 'list', ...args)).map(({ email }: { email: string }) => email);
    expect(await emails()).toEqual(['ada@example.com', 'bob@example.com', 'cy@example.com']);
    expect(await emails('--after', 'ADA@example.com')).toEqual(['bob@example.com', 'cy@example.com']);
    expect((await run('users', 'list')).out).toMatch(
      /^email {2,}name {2,}roles {2,}sub {2,}disabled\nada@example\.com /,
    );
  });

  test.each(['ada@example.com', 'Ada@Example.COM', 'id'])('show finds a person by %s', async (name) => {
    const { idp, json } = await start();
    const { id } = await idp.addUser();
    expect(await json('users', 'show', name === 'id' ? id : name)).toMatchObject({
      sub: id,
      name: 'Ada Lovelace',
    });
  });

  test('show names the passkeys of a person, when they were added and last used', async () => {
    const { idp, json } = await start({ host: 'localhost' });
    const ada = await idp.addUser();
    expect((await json('users', 'show', ada.id)).passkeys).toEqual([]);
    await givePasskey(idp, ada, { name: 'Phone' });
    expect((await json('users', 'show', ada.id)).passkeys).toEqual([
      { name: 'Phone', created_at: idp.now(), last_used_at: null },
    ]);
  });

  test('disable, enable and set-password do so at once', async () => {
    const { idp, json, run, type } = await start();
    const { id } = await idp.addUser();
    expect(await json('users', 'disable', 'ada@example.com')).toEqual({ sub: id, email: 'ada@example.com' });
    expect(await mayEnter(idp, password)).toBe(false);
    expect((await json('users', 'show', id)).disabled_at).toBe(idp.now());
    expect((await run('users', 'enable', id)).out).toBe('ada@example.com is enabled.\n');
    expect(await mayEnter(idp, password)).toBe(true);
    type('another good password');
    expect((await run('users', 'set-password', id, '--password-stdin')).out).toBe(
      'ada@example.com has a new password; all their sessions have ended.\n',
    );
    expect([await mayEnter(idp, password), await mayEnter(idp, 'another good password')]).toEqual([
      false,
      true,
    ]);
  });

  test('remove takes a person out for good', async () => {
    const { idp, run } = await start();
    await idp.addUser();
    expect(await run('users', 'remove', 'ada@example.com')).toMatchObject({
      code: 0,
      out: 'ada@example.com is removed.\n',
    });
    expect(await users.list(idp.db, '')).toEqual([]);
  });

  test.each(['show', 'disable', 'enable', 'remove', 'set-password'])(
    '%s of nobody is refused',
    async (name) => {
      const { run } = await start();
      expect(await run('users', name, 'nobody@example.com')).toEqual({
        code: 1,
        out: '',
        err: 'There is no user nobody@example.com.\n',
      });
    },
  );
});

describe('sallyport users invite', () => {
  test('prints a link by which the person makes their account, and says whether it was sent', async () => {
    const idp = await startIdp({ settings: { USER_REGISTRATION: 'invitation' } });
    const { json, run } = commandsOf(idp);
    const invited = await json(
      'users',
      'invite',
      'grace@example.com',
      '--name',
      'Grace Hopper',
      '--role',
      'editor',
    );
    expect(invited).toMatchObject({ email: 'grace@example.com', sent: false });
    const page = await idp.browser().get(String(invited.link).slice(idp.issuer.length));
    expect([page.status, page.html.includes('grace@example.com')]).toEqual([200, true]);
    expect((await run('users', 'invite', 'h@example.com')).out).toContain('hand it over yourself');
  });

  test('is refused with a sentence while nobody may register', async () => {
    const { run } = await start();
    const { code, err } = await run('users', 'invite', 'grace@example.com');
    expect([code, err]).toEqual([1, expect.stringContaining('SALLYPORT_USER_REGISTRATION is closed')]);
  });
});
