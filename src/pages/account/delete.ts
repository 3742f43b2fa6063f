/** Deleting one's account, GET and POST /account/delete: a fresh and full proof, and one's address typed. Then GET /goodbye. */
import type { Context, Middleware } from 'koa';
import { requestDeletion } from '../../actions/deletion.js';
import type { Deps } from '../../deps.js';
import { forPerson, keptUntil, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { type PageConfig, render } from '../../http/render.js';
import { takeSession } from '../../http/session.js';
import { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';
import * as users from '../../store/users.js';

type DeleteDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function showDelete(deps: DeleteDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    await deleteForm(deps, ctx, session, { typed: '', until: keptUntil(deps.config, now), error: null });
  });
}

export function postDelete(deps: DeleteDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      if (users.canonicalEmail(params.get('typed') ?? '') !== users.canonicalEmail(session.email))
        throw new UserError('invalid_input', 'account.delete_typed_wrong', 'typed');
      await requestDeletion(deps, session, visit, now);
      takeSession(ctx, deps.config);
      seeOther(ctx, `${deps.config.base}/goodbye`);
    },
    (ctx, { params, session, now }, error) => {
      const typed = params.get('typed') ?? '';
      return deleteForm(deps, ctx, session, { typed, until: keptUntil(deps.config, now), error });
    },
  );
}

async function deleteForm(
  deps: DeleteDeps,
  ctx: Context,
  session: LiveSession,
  form: { readonly typed: string; readonly until: number | null; readonly error: UserError | null },
): Promise<void> {
  await renderAccount(deps, ctx, session, {
    view: 'account/delete',
    title: 'account.delete',
    section: '/account/data',
    data: { email: session.email, ...form },
  });
}

/** For whoever has just deleted their account: it says nothing of anybody. */
export function goodbye(
  config: PageConfig & Pick<Deps['config'], 'ACCOUNT_DELETION_GRACE_SECONDS'>,
): Middleware {
  return (ctx) =>
    render(ctx, config, {
      view: 'account/goodbye',
      title: 'account.goodbye',
      data: { at_once: config.ACCOUNT_DELETION_GRACE_SECONDS === 0 },
    });
}
