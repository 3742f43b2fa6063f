/** sallyport users: people. */
import { Command } from 'commander';
import { inviteUser } from '../actions/invitations.js';
import { resetFactors } from '../actions/second_factors.js';
import { addUser, disableUser, enableUser, loadUser, removeUser, setPassword } from '../actions/users.js';
import { claimsOfScopes, openidScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import * as credentials from '../store/credentials.js';
import * as passkeys from '../store/passkeys.js';
import * as users from '../store/users.js';
import { readJson } from './input_file.js';
import { readPassword } from './password_input.js';
import { collect, columns, dateTime, print, type Start } from './start.js';
import { exportCommand } from './users_export.js';
import { importCommand } from './users_import.js';

interface AddOptions {
  readonly name?: string;
  readonly role?: readonly string[];
  readonly claims?: string;
  readonly passwordStdin?: boolean;
  readonly emailVerified?: boolean;
  readonly json?: boolean;
}

export function usersCommand(start: Start): Command {
  const command = new Command('users').description('add, list, disable and remove people');
  command
    .command('add <email>')
    .description('add a person; asks for a password')
    .option('--name <name>', 'their full name')
    .option('--role <role>', 'a role, may be repeated; admin administers this server', collect)
    .option('--claims <file>', 'standard claims of OpenID Connect, as a JSON file')
    .option('--password-stdin', 'read the password from standard input')
    .option('--email-verified', 'the address is known to be theirs')
    .option('--json', 'print JSON')
    .action((email: string, options: AddOptions) => start.withDeps((deps) => add(deps, email, options)));
  command
    .command('invite <email>')
    .description(
      'invite a person to make an account: prints a link, good once and for seven days, and sends it',
    )
    .option('--name <name>', 'their full name')
    .option('--role <role>', 'a role, may be repeated', collect)
    .option('--json', 'print JSON')
    .action((email: string, options: AddOptions) => start.withDeps((deps) => invite(deps, email, options)));
  command
    .command('list')
    .description('list people, 500 at a time')
    .option('--after <email>', 'go on after this address')
    .option('--json', 'print JSON')
    .action((options: { after?: string; json?: boolean }) => start.withDeps((deps) => list(deps, options)));
  command
    .command('show <user>')
    .description('show a person, by address or id')
    .option('--json', 'print JSON')
    .action((user: string, options) =>
      start.withDeps(async (deps) => {
        const row = await loadUser(deps, user);
        const own = await passkeys.list(deps.db, row.id);
        const shown = own.map(({ name, created_at, last_used_at }) => ({ name, created_at, last_used_at }));
        tell(row, options, { passkeys: shown, ...(await factorsOf(deps, row.id)) });
      }),
    );
  command
    .command('reset-factors <user>')
    .description('take all second factors of a person away, who lost them; all their sessions end')
    .option('--json', 'print JSON')
    .action((user: string, options: { json?: boolean }) =>
      start.withDeps(async (deps) => {
        const { id, email } = await loadUser(deps, user);
        const ring = await deps.keys.get();
        const removed = (await resetFactors({ ...deps, ring }, id, deps.clock())).length;
        print(
          { sub: id, email, removed },
          options,
          () => `${email} has no second factor any more (${removed} removed).`,
        );
      }),
    );
  change(
    start,
    command,
    'disable',
    'sign a person out everywhere and let them in no more',
    disableUser,
    'is disabled',
  );
  change(start, command, 'enable', 'let a disabled person in again', enableUser, 'is enabled');
  change(start, command, 'remove', 'remove a person with all that is theirs', removeUser, 'is removed');
  command
    .command('set-password <user>')
    .description('set a password; all sessions of the person end')
    .option('--password-stdin', 'read the password from standard input')
    .option('--json', 'print JSON')
    .action((user: string, options: { passwordStdin?: boolean; json?: boolean }) =>
      start.withDeps(async (deps) => {
        const { id, email } = await loadUser(deps, user);
        await setPassword(deps, id, await readPassword(options.passwordStdin === true), deps.clock());
        print(
          { sub: id, email },
          options,
          () => `${email} has a new password; all their sessions have ended.`,
        );
      }),
    );
  command.addCommand(importCommand(start));
  command.addCommand(exportCommand(start));
  return command;
}

type Change = (deps: Deps, user_id: string, now: number) => Promise<void>;

function change(
  start: Start,
  command: Command,
  name: string,
  about: string,
  action: Change,
  done: string,
): void {
  command
    .command(`${name} <user>`)
    .description(about)
    .option('--json', 'print JSON')
    .action((user: string, options) =>
      start.withDeps(async (deps) => {
        const { id, email } = await loadUser(deps, user);
        await action(deps, id, deps.clock());
        print({ sub: id, email }, options, () => `${email} ${done}.`);
      }),
    );
}

async function add(deps: Deps, email: string, options: AddOptions): Promise<void> {
  const claims = options.claims === undefined ? {} : readJson(options.claims);
  const password = await readPassword(options.passwordStdin === true);
  const row = await addUser(
    deps,
    {
      email,
      email_verified: options.emailVerified === true,
      roles: options.role ?? [],
      claims: options.name === undefined ? claims : { ...claims, name: options.name },
      password,
    },
    deps.clock(),
  );
  tell(row, options);
}

async function invite(deps: Deps, email: string, { name = '', role = [], json }: AddOptions): Promise<void> {
  const invited = await inviteUser(deps, { email, name, roles: role }, deps.clock());
  const sent = invited.sent
    ? 'It is sent by mail as well, by a server that runs.'
    : 'It is not sent: hand it over yourself.';
  print(invited, { json }, () => `${invited.link}\n\n${sent}`);
}

async function list(deps: Deps, options: { after?: string; json?: boolean }): Promise<void> {
  const rows = await users.list(deps.db, users.canonicalEmail(options.after ?? ''));
  print(rows.map(shown), options, () =>
    columns(
      rows.map(({ email, name, roles, id, disabled_at }) => ({
        email,
        name,
        roles,
        sub: id,
        disabled: dateTime(disabled_at),
      })),
      'There is nobody yet.',
    ),
  );
}

function shown(row: users.UserRow) {
  const { id, roles, created_at, disabled_at, deletes_at } = row;
  const claims = claimsOfScopes(
    row,
    openidScopes.filter((scope) => scope !== 'roles'),
  );
  return {
    sub: id,
    ...claims,
    roles: roles.split(' ').filter((role) => role !== ''),
    created_at,
    disabled_at,
    // Its owner asked for it; null for nearly all.
    ...(deletes_at !== null && { deletes_at }),
  };
}

/** What a person has beside the password and passkeys, for the operator. */
async function factorsOf({ db }: Deps, user_id: string) {
  const apps = await credentials.list(db, user_id, 'totp');
  const codes = await credentials.list(db, user_id, 'recovery_code');
  return {
    authenticator_apps: apps.map(({ name, created_at, last_used_at }) => ({
      name,
      created_at,
      last_used_at,
    })),
    recovery_codes: codes.length,
  };
}

function tell(row: users.UserRow, options: { readonly json?: boolean }, more: object = {}): void {
  print({ ...shown(row), ...more }, options, (user) =>
    Object.entries(user)
      .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join('\n'),
  );
}
