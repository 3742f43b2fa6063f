/** sallyport clients registration-token: initial access tokens, by which applications register themselves. RFC 7591 §3. */
import { Command } from 'commander';
import { addRegistrationToken, removeRegistrationToken } from '../actions/registration_tokens.js';
import * as registrationTokens from '../store/registration_tokens.js';
import { columns, dateTime, print, type Start } from './start.js';

const day = 86_400;

interface AddOptions {
  readonly note: string;
  readonly uses: string;
  readonly days: string;
  readonly json?: boolean;
}

export function registrationTokenCommand(start: Start): Command {
  const command = new Command('registration-token').description(
    'initial access tokens: who has one may register applications',
  );
  command
    .command('add')
    .description('make a token')
    .option('--uses <number>', 'for how many registrations it is good', '1')
    .option('--days <number>', 'for how many days it is good', '7')
    .option('--note <text>', 'what it is for', '')
    .option('--json', 'print JSON')
    .action((options: AddOptions) =>
      start.withDeps(async (deps) => {
        const { note, uses, days } = options;
        const wanted = { note, uses: Number(uses), seconds: Number(days) * day };
        const { row, token } = await addRegistrationToken(deps, wanted, deps.clock());
        print({ ...shown(row), token }, options, () =>
          [
            `id: ${row.id}`,
            `token: ${token}`,
            `expires: ${dateTime(row.expires_at)}`,
            '',
            'The token is shown this once. Give it to those who register applications now.',
          ].join('\n'),
        );
      }),
    );
  command
    .command('list')
    .description('list the tokens')
    .option('--json', 'print JSON')
    .action((options) =>
      start.withDeps(async (deps) => {
        const rows = await registrationTokens.list(deps.db);
        print(rows.map(shown), options, () =>
          columns(
            rows.map(({ id, note, uses_left, expires_at }) => ({
              ...{ id, 'uses left': String(uses_left), expires: dateTime(expires_at), note },
            })),
            'There are none.',
          ),
        );
      }),
    );
  command
    .command('remove <id>')
    .description('make a token good for nothing; applications that registered with it stay')
    .option('--json', 'print JSON')
    .action((id: string, options) =>
      start.withDeps(async (deps) => {
        await removeRegistrationToken(deps, id, deps.clock());
        print({ id }, options, () => `${id} is removed.`);
      }),
    );
  return command;
}

function shown({ token_hash, ...row }: registrationTokens.RegistrationTokenRow) {
  return row;
}
