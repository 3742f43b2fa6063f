/** sallyport users export: everybody, a line of JSON each, as `users import` reads them. */
import { once } from 'node:events';
import { Command } from 'commander';
import { claimsOfScopes, openidScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import * as credentials from '../store/credentials.js';
import * as users from '../store/users.js';
import type { Start } from './start.js';

export function exportCommand(start: Start): Command {
  return new Command('export')
    .description('print everybody as JSON Lines, as import reads them')
    .option(
      '--hashes',
      'with the hashes of their passwords: who has them can guess without asking the server',
    )
    .action((options: { hashes?: boolean }) =>
      start.withDeps((deps) => exportUsers(deps, options.hashes === true)),
    );
}

const exported = openidScopes.filter((scope) => scope !== 'roles');

async function exportUsers({ db }: Deps, with_hashes: boolean): Promise<void> {
  for (let rows = await users.list(db, ''); rows.length > 0; rows = await users.list(db, lastOf(rows))) {
    const ids = rows.map(({ id }) => id);
    const found = with_hashes ? await credentials.findAll(db, ids, 'password') : [];
    const hashes = new Map(found.map(({ user_id, secret }) => [user_id, secret]));
    const text = rows.map((row) => `${JSON.stringify(lineOf(row, hashes.get(row.id)))}\n`).join('');
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}

function lastOf(rows: readonly users.UserRow[]): string {
  return rows.at(-1)?.email_canonical ?? '';
}

function lineOf(row: users.UserRow, password_hash: string | undefined) {
  const { id, roles, created_at, disabled_at } = row;
  const { updated_at: _, ...claims } = claimsOfScopes(row, exported);
  return {
    ...{ id, ...claims, created_at },
    roles: roles.split(' ').filter((role) => role !== ''),
    disabled: disabled_at !== null,
    ...(password_hash !== undefined && { password_hash }),
  };
}
