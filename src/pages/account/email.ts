/**
 * One's address, GET and POST /account/email: another one, or showing that it is one's own. Each by the link of a mail. It can replace the
 * password, and may be the second factor, so that it is changed by a full proof alone.
 */
import type { Context, Middleware } from 'koa';
import { askForEmail, askForVerification } from '../../actions/change_email.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { languageOf } from '../../http/language.js';
import { requireFullProof } from '../../http/recent_proof.js';
import type { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';
import * as users from '../../store/users.js';

type EmailDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = { sent: 'email.sent' } as const;

export function showEmail(deps: EmailDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (doneNow(ctx, notices) === null && !(await requireFullProof(ctx, deps, session, { now }))) return;
    await emailForm(deps, ctx, session, { typed: '', error: null });
  });
}

export function postEmail(deps: EmailDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      const language = languageOf(ctx, deps.config, null);
      const asked = { user_id: session.user_id, visit, language };
      if (params.get('action') === 'verify') await askForVerification(deps, asked, now);
      else await askForEmail(deps, { ...asked, email: params.get('email') ?? '' }, now);
      seeOther(ctx, `${deps.config.base}/account/email?done=sent`);
    },
    (ctx, { params, session }, error) =>
      emailForm(deps, ctx, session, { typed: params.get('email') ?? '', error }),
  );
}

async function emailForm(
  deps: EmailDeps,
  ctx: Context,
  session: LiveSession,
  { typed, error }: { readonly typed: string; readonly error: UserError | null },
): Promise<void> {
  const { config } = deps;
  const user = await users.find(deps.db, session.user_id);
  await renderAccount(deps, ctx, session, {
    view: 'account/email',
    title: 'email.title',
    data: {
      email: session.email,
      verified: user?.email_verified === 1,
      can_send: config.mail !== 'off',
      can_change: config.mail !== 'off' && config.EMAIL_EDITABLE,
      ...{ typed, error, notice: doneNow(ctx, notices) },
    },
  });
}
