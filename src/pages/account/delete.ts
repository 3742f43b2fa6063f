/** Deleting one's account, GET and POST /account/delete: a fresh proof, and one's address typed. Then GET /goodbye. */
import type { Context, Middleware } from 'koa';
import { requestDeletion } from '../../actions/deletion.js';
import type { Deps } from '../../deps.js';
import { forPerson, keptUntil, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { parseNetworks } from '../../http/client_address.js';
import { assertOwnForm } from '../../http/csrf.js';
import { readForm } from '../../http/read.js';
import { requireRecentProof } from '../../http/recent_proof.js';
import { type PageConfig, render } from '../../http/render.js';
import { takeSession } from '../../http/session.js';
import { submit } from '../../http/submit.js';
import { visitOf } from '../../http/visit.js';
import { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';
import * as users from '../../store/users.js';

type DeleteDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function showDelete(deps: DeleteDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!requireRecentProof(ctx, deps.config, session, { now })) return;
    await deleteForm(deps, ctx, session, { typed: '', until: keptUntil(deps.config, now), error: null });
  });
}

export function postDelete(deps: DeleteDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const typed = params.get('typed') ?? '';
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (!requireRecentProof(ctx, deps.config, session, { now })) return;
        if (users.canonicalEmail(typed) !== users.canonicalEmail(session.email))
          throw new UserError('invalid_input', 'account.delete_typed_wrong', 'typed');
        await requestDeletion(deps, session, visitOf(ctx, trusted), now);
        takeSession(ctx, deps.config);
        seeOther(ctx, `${deps.config.base}/goodbye`);
      },
      (error) => deleteForm(deps, ctx, session, { typed, until: keptUntil(deps.config, now), error }),
    );
  });
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
