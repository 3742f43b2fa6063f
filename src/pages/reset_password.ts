/** Choosing a new password by the link of a mail, GET and POST /reset-password. Opening it uses nothing up: mail scanners do that. */
import type { Context, Middleware } from 'koa';
import { ownerOfReset, type ResetDeps, resetPassword } from '../actions/reset_password.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { broughtBack, chosenPassword, ifGood, secretAddress } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { submit } from '../http/submit.js';
import { visitOf } from '../http/visit.js';
import type { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';

type PageDeps = ResetDeps & Pick<Deps, 'clock'>;

export function showResetPassword(deps: PageDeps): Middleware {
  return async (ctx) => resetForm(deps, ctx, readQuery(ctx), null);
}

export function postResetPassword(deps: PageDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, null);
        const password = chosenPassword(params);
        const token = params.get('token') ?? '';
        await resetPassword(deps, { token, password, visit: visitOf(ctx, trusted) }, now);
        const request = broughtBack(ctx, deps.config, await deps.keys.get(), params);
        const query = new URLSearchParams({ done: 'password', ...(request !== null && { request }) });
        seeOther(ctx, `${deps.config.base}/login?${query}`);
      },
      (error) => resetForm(deps, ctx, params, error),
    );
  };
}

/** The form; without one where the link is not good any more: then it says so, and where to get another. */
async function resetForm(
  deps: PageDeps,
  ctx: Context,
  params: Params,
  error: UserError | null,
): Promise<void> {
  secretAddress(ctx);
  const [token, request] = [params.get('token') ?? '', params.get('request') ?? null];
  const owner = await ifGood(ownerOfReset(deps, token, deps.clock()));
  render(ctx, deps.config, {
    view: 'reset_password',
    title: 'reset.title',
    status: owner === null ? 404 : 200,
    data: { csrf: await csrfToken(deps, ctx, null), token, request, email: owner?.email ?? null, error },
  });
}
