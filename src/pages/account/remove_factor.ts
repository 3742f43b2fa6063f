/** Removing an authenticator app, GET and POST /account/security/remove: says first what it means, and asks who it is. */
import type { Context, Middleware } from 'koa';
import { removeTotp } from '../../actions/second_factors.js';
import type { Deps } from '../../deps.js';
import { forPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { parseNetworks } from '../../http/client_address.js';
import { assertOwnForm } from '../../http/csrf.js';
import { readForm, readQuery } from '../../http/read.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { submit } from '../../http/submit.js';
import { visitOf } from '../../http/visit.js';
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
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const id = params.get('id') ?? '';
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (!(await requireFullProof(ctx, deps, session, { now }))) return;
        const ring = await deps.keys.get();
        await removeTotp({ ...deps, ring }, { id, user_id: session.user_id }, visitOf(ctx, trusted), now);
        seeOther(ctx, `${deps.config.base}/account/security?done=removed`);
      },
      (error) => removeForm(deps, ctx, session, { id, error }),
    );
  });
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
