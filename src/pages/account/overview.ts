/** The first page of one's account, GET /account: who one is here, and the way to everything else. */
import type { Middleware } from 'koa';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, renderAccount } from '../../http/account.js';
import { UserError } from '../../oauth/errors.js';
import * as credentials from '../../store/credentials.js';
import * as sessions from '../../store/sessions.js';
import * as users from '../../store/users.js';

type OverviewDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = { kept: 'account.kept' } as const;

export function showOverview(deps: OverviewDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    const { user_id } = session;
    const [user, password, devices] = await Promise.all([
      users.find(deps.db, user_id),
      credentials.find(deps.db, user_id, 'password'),
      sessions.listByUser(deps.db, user_id, now),
    ]);
    if (user === undefined) throw new UserError('not_found', 'account.no_session'); // removed at this very moment
    await renderAccount(deps, ctx, session, {
      view: 'account/overview',
      title: 'account.overview',
      data: {
        person: { name: user.name, email: user.email },
        created_at: user.created_at,
        password_set_at: password?.created_at ?? null,
        devices: devices.length,
        notice: doneNow(ctx, notices),
      },
    });
  });
}
