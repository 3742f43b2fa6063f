/**
 * A new password, GET and POST /account/password, for who has just proved who they are, with the second factor where they have one: it ends
 * the owner's other sessions, and the password that they know is good no more.
 */
import type { Context, Middleware } from 'koa';
import { changeOwnPassword } from '../../actions/own_password.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { rememberDevice } from '../../http/device.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { giveSession } from '../../http/session.js';
import type { UserError } from '../../oauth/errors.js';
import * as credentials from '../../store/credentials.js';
import type { LiveSession } from '../../store/sessions.js';

type PasswordDeps = Pick<
  Deps,
  'bell' | 'caches' | 'clock' | 'config' | 'db' | 'hashing' | 'judge' | 'keys' | 'log' | 'outbound'
>;

const notices = { saved: 'account.password_saved' } as const;

export function showPassword(deps: PasswordDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    const notice = doneNow(ctx, notices);
    if (notice === null && !(await requireFullProof(ctx, deps, session, { now }))) return;
    await passwordForm(deps, ctx, session, null);
  });
}

export function postPassword(deps: PasswordDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      const typed = { password: params.get('password') ?? '', visit };
      const { cookie, login } = await changeOwnPassword(deps, session, typed, now);
      giveSession(ctx, deps.config, cookie);
      rememberDevice(ctx, deps.config, await deps.keys.get(), login);
      seeOther(ctx, `${deps.config.base}/account/password?done=saved`);
    },
    (ctx, { session }, error) => passwordForm(deps, ctx, session, error),
  );
}

async function passwordForm(
  deps: PasswordDeps,
  ctx: Context,
  session: LiveSession,
  error: UserError | null,
): Promise<void> {
  const credential = await credentials.find(deps.db, session.user_id, 'password');
  await renderAccount(deps, ctx, session, {
    view: 'account/password',
    title: 'account.password',
    data: {
      email: session.email,
      has_password: credential !== undefined,
      notice: doneNow(ctx, notices),
      error,
    },
  });
}
