/** Claiming a new server, GET and POST /claim: the operator becomes its first administrator. Hardening row 31. */
import type { Context, Middleware } from 'koa';
import { assertClaimable, claimServer } from '../actions/setup.js';
import type { UserDeps } from '../actions/users.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { submit } from '../http/submit.js';
import type { UserError } from '../oauth/errors.js';

type ClaimDeps = UserDeps & Pick<Deps, 'clock' | 'keys'>;

export function showClaim(deps: ClaimDeps): Middleware {
  return async (ctx) => {
    const token = readQuery(ctx).get('token') ?? '';
    await assertClaimable(deps, token, deps.clock());
    await claimForm(deps, ctx, { token, email: '', name: '', error: null });
  };
}

export function postClaim(deps: ClaimDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const [token, email, name] = [
      params.get('token') ?? '',
      params.get('email') ?? '',
      params.get('name') ?? '',
    ];
    await assertClaimable(deps, token, now);

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, null);
        await claimServer(deps, { token, email, name, password: params.get('password') ?? '' }, now);
        deps.log.info({ event: 'server_claimed' }, 'the server has its first administrator');
        seeOther(ctx, `${deps.config.base}/login`);
      },
      (error) => claimForm(deps, ctx, { token, email, name, error }),
    );
  };
}

interface ClaimForm {
  readonly token: string;
  readonly email: string;
  readonly name: string;
  readonly error: UserError | null;
}

async function claimForm(
  deps: ClaimDeps,
  ctx: Context,
  { token, email, name, error }: ClaimForm,
): Promise<void> {
  render(ctx, deps.config, {
    view: 'claim',
    title: 'claim.page_title',
    data: { csrf: await csrfToken(deps, ctx, null), token, email, name, error },
  });
}
