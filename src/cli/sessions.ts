/** sallyport sessions: who is signed in, ending it, and what the applications answered. */
import { Command } from 'commander';
import { loadReceipt, type Receipt, revokeSession, signOutEverywhere } from '../actions/sessions.js';
import { loadUser } from '../actions/users.js';
import { deviceNames } from '../devices/user_agent.js';
import * as sessions from '../store/sessions.js';
import { InputError } from './input_error.js';
import { columns, dateTime, print, type Start } from './start.js';

interface RevokeOptions {
  readonly user?: string;
  readonly json?: boolean;
}

export function sessionsCommand(start: Start): Command {
  const command = new Command('sessions').description('see who is signed in, and end sessions');
  command
    .command('list')
    .description('list living sessions, up to a thousand')
    .option('--user <user>', 'of one person, by address or id')
    .option('--json', 'print JSON')
    .action((options: RevokeOptions) =>
      start.withDeps(async (deps) => {
        const now = deps.clock();
        const rows =
          options.user === undefined
            ? await sessions.list(deps.db, now)
            : await sessions.listByUser(deps.db, (await loadUser(deps, options.user)).id, now);
        const shown = rows.map(({ id, email, auth_time, last_seen_at, expires_at, user_agent, address }) => ({
          ...{ sid: id, email, auth_time, last_seen_at, expires_at },
          ...deviceNames(user_agent),
          ...{ address, user_agent },
        }));
        const human = shown.map(
          ({ sid, email, browser, system, address, auth_time, last_seen_at, expires_at }) => ({
            ...{ sid, email, browser, system, address },
            ...{
              'signed in': dateTime(auth_time),
              'last seen': dateTime(last_seen_at),
              expires: dateTime(expires_at),
            },
          }),
        );
        print(shown, options, () => columns(human, 'Nobody is signed in.'));
      }),
    );
  command
    .command('revoke [sid]')
    .description('end a session, or all of a person with everything given to applications')
    .option('--user <user>', 'all sessions of a person, by address or id')
    .option('--json', 'print JSON')
    .action((sid: string | undefined, options: RevokeOptions) =>
      start.withDeps(async (deps) => {
        if ((sid === undefined) === (options.user === undefined))
          throw new InputError('Name either a session or --user.');
        const now = deps.clock();
        if (sid !== undefined) {
          await revokeSession(deps, sid, now);
          return print({ ended: 1 }, options, () => '1 session has ended.');
        }
        const { id } = await loadUser(deps, options.user ?? '');
        const { sessions: ended, messages, receipt_id } = await signOutEverywhere(deps, id, now);
        print({ ended, messages, receipt_id }, options, () => toldOf(ended, messages, receipt_id));
      }),
    );
  command
    .command('receipt <receipt_id>')
    .description('what each application answered when a person was signed out everywhere')
    .option('--json', 'print JSON')
    .action((receipt_id: string, options: { readonly json?: boolean }) =>
      start.withDeps(async (deps) => showReceipt(await loadReceipt(deps, receipt_id), options)),
    );
  return command;
}

function toldOf(ended: number, messages: number, receipt_id: string): string {
  const sentence = `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended.`;
  if (messages === 0) return sentence;
  return `${sentence} Logout tokens to send: ${messages}. What comes of them: sallyport sessions receipt ${receipt_id}`;
}

/** A running server sends: `queued` until it has, `sent` while an application gives no good answer and is asked again. */
function showReceipt({ messages, ...receipt }: Receipt, options: { readonly json?: boolean }): void {
  const told = messages.map(
    ({ client_id, client_name, sid, state, attempts, answer, attempted_at, next_attempt_at }) => ({
      ...{ client_id, client_name, sid, state, attempts, answer, attempted_at, next_attempt_at },
    }),
  );
  const { id, user_id, sessions: ended, created_at } = receipt;
  print({ receipt_id: id, user_id, ended, created_at, messages: told }, options, () =>
    columns(
      told.map(({ client_id, client_name, sid, state, attempts, answer, next_attempt_at }) => ({
        ...{ application: client_name ?? client_id, sid, state, attempts, answer },
        again: dateTime(next_attempt_at),
      })),
      'No application had to be told.',
    ),
  );
}
