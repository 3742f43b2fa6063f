/** Removing an authenticator app, GET and POST /account/security/remove: says first what it means, and asks who it is. */
import type { Context, Middleware } from 'koa';
import { removeTotp } from '../../actions/second_factors.js';
import type { Deps } from '../../deps.js';
import { forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { readQuery } from '../../http/read.js';
import { requireFullProof } from '../../http/recent_proof.js';
import type { UserError } from '../../oauth/errors.js';
import * as secondFactors from '../../store/second_factors.js';
import type { LiveSession } from '../../store/sessions.js';

type RemoveDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showRemoveFactor(deps: RemoveDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    await removeForm(deps, ctx, session, { id: readQuery(ctx).get('id') ?? '', error: null });
  });
}

export function postRemoveFactor(deps: RemoveDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      const ring = await deps.keys.get();
      const own = { id: params.get('id') ?? '', user_id: session.user_id };
      await removeTotp({ ...deps, ring }, own, visit, now);
      seeOther(ctx, `${deps.config.base}/account/security?done=removed`);
    },
    (ctx, { params, session }, error) =>
      removeForm(deps, ctx, session, { id: params.get('id') ?? '', error }),
  );
}

async function removeForm(
  deps: RemoveDeps,
  ctx: Context,
  session: LiveSession,
  { id, error }: { readonly id: string; readonly error: UserError | null },
): Promise<void> {
  const factors = await secondFactors.list(deps.db, session.user_id);
  const factor = factors.find((one) => one.type === 'totp' && one.id === id);
  if (factor === undefined && error === null) return seeOther(ctx, `${deps.config.base}/account/security`);
  await renderAccount(deps, ctx, session, {
    view: 'account/remove_factor',
    title: 'factor.remove_app',
    data: { id, name: factor?.name ?? '', is_last: factors.length === 1, error },
  });
}
