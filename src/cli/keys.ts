/** sallyport keys: the signing keys and the master key. */
import { Command } from 'commander';
import { listKeys, retireSigningKey, rotateKeys } from '../actions/keys.js';
import { rewrapKeys } from '../actions/rewrap_keys.js';
import { columns, dateTime, print, type Start } from './start.js';

export function keysCommand(start: Start): Command {
  const command = new Command('keys').description('look after the signing keys and the master key');
  command
    .command('list')
    .description('list the keys, what they are for, and their states')
    .option('--json', 'print JSON')
    .action((options) =>
      start.withDeps(async (deps) => {
        const keys = await listKeys(deps, deps.clock());
        const rows = keys.map(({ kid, use, alg, state, active_at, retired_at, expires_at }) => ({
          ...{ kid, use, alg, state },
          ...{ active: dateTime(active_at), retired: dateTime(retired_at), gone: dateTime(expires_at) },
        }));
        print(keys, options, () => columns(rows, 'There are none yet.'));
      }),
    );
  command
    .command('rotate')
    .description(
      'announce a new key for each algorithm, which takes over when every application could have fetched it',
    )
    .option('--alg <alg>', 'for this algorithm alone')
    .option('--now', 'let it take over at once')
    .option('--json', 'print JSON')
    .action((options: { alg?: string; now?: boolean; json?: boolean }) =>
      start.withDeps(async (deps) => {
        const at_once = options.now === true;
        const keys = await rotateKeys(deps, { at_once, alg: options.alg }, deps.clock());
        const told = at_once ? 'is in use from now on' : 'is announced and takes over soon';
        print({ keys }, options, () => keys.map(({ kid, alg }) => `${kid} (${alg}) ${told}.`).join('\n'));
      }),
    );
  command
    .command('retire <kid>')
    .description('take a key out at once, for one that may have leaked: its tokens are refused')
    .option('--json', 'print JSON')
    .action((kid: string, options) =>
      start.withDeps(async (deps) => {
        const { replaced_by } = await retireSigningKey(deps, kid, deps.clock());
        print(
          { kid, replaced_by },
          options,
          () => `${kid} is out.${replaced_by === null ? '' : ` ${replaced_by} is in its place from now on.`}`,
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
