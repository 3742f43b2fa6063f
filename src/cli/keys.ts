/** sallyport keys: the signing keys and the master key. */
import { Command } from 'commander';
import { listKeys, retireSigningKey, rewrapKeys, rotateSigningKey } from '../actions/keys.js';
import { columns, dateTime, print, type Start } from './start.js';

export function keysCommand(start: Start): Command {
  const command = new Command('keys').description('look after the signing keys and the master key');
  command
    .command('list')
    .description('list the signing keys and their states')
    .option('--json', 'print JSON')
    .action((options) =>
      start.withDeps(async (deps) => {
        const keys = await listKeys(deps, deps.clock());
        const rows = keys.map(({ kid, alg, state, active_at, retired_at, expires_at }) => ({
          ...{ kid, alg, state },
          ...{ active: dateTime(active_at), retired: dateTime(retired_at), gone: dateTime(expires_at) },
        }));
        print(keys, options, () => columns(rows, 'There are none yet.'));
      }),
    );
  command
    .command('rotate')
    .description('announce a new signing key, which takes over when every application could have fetched it')
    .option('--now', 'let it take over at once')
    .option('--json', 'print JSON')
    .action((options: { now?: boolean; json?: boolean }) =>
      start.withDeps(async (deps) => {
        const kid = await rotateSigningKey(deps, { at_once: options.now === true }, deps.clock());
        print(
          { kid },
          options,
          () => `${kid} ${options.now === true ? 'signs from now on' : 'is announced and takes over soon'}.`,
        );
      }),
    );
  command
    .command('retire <kid>')
    .description('take a signing key out at once, for one that may have leaked: its tokens are refused')
    .option('--json', 'print JSON')
    .action((kid: string, options) =>
      start.withDeps(async (deps) => {
        const { replaced_by } = await retireSigningKey(deps, kid, deps.clock());
        print(
          { kid, replaced_by },
          options,
          () => `${kid} is out.${replaced_by === null ? '' : ` ${replaced_by} signs from now on.`}`,
        );
      }),
    );
  command
    .command('rewrap')
    .description('move all keys to a new master key; afterwards the old one may be deleted')
    .option('--json', 'print JSON')
    .action((options) =>
      start.withDeps(async (deps) => {
        const rewrapped = await rewrapKeys(deps, deps.clock());
        print(
          { rewrapped },
          options,
          () =>
            `${rewrapped} keys are wrapped under the newest master key. Older master keys are not needed any more.`,
        );
      }),
    );
  return command;
}
