/** sallyport sessions: who is signed in, and ending it. */
import { Command } from 'commander';
import { revokeSession, revokeSessionsOf } from '../actions/sessions.js';
import { loadUser } from '../actions/users.js';
import { UserError } from '../oauth/errors.js';
import * as sessions from '../store/sessions.js';
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
        const shown = rows.map(({ id, email, auth_time, last_seen_at, expires_at }) => ({
          sid: id,
          email,
          auth_time,
          last_seen_at,
          expires_at,
        }));
        const human = shown.map(({ sid, email, auth_time, last_seen_at, expires_at }) => ({
          ...{ sid, email },
          ...{
            'signed in': dateTime(auth_time),
            'last seen': dateTime(last_seen_at),
            expires: dateTime(expires_at),
          },
        }));
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
          throw new UserError('invalid_input', 'Name either a session or --user.');
        const now = deps.clock();
        if (sid !== undefined) await revokeSession(deps, sid, now);
        const ended =
          options.user === undefined
            ? 1
            : await revokeSessionsOf(deps, (await loadUser(deps, options.user)).id, now);
        print({ ended }, options, () => `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended.`);
      }),
    );
  return command;
}
