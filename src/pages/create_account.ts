/** Making an account by the link of a mail or an invitation, GET and POST /create-account. Opening it uses nothing up. */
import type { Context, Middleware } from 'koa';
import { createAccount, readPass } from '../actions/registration.js';
import type { Deps } from '../deps.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { readInteraction } from '../http/interaction.js';
import { broughtBack, chosenPassword, ifGood, secretAddress } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { goOnFrom } from '../http/sign_in.js';
import { submit } from '../http/submit.js';
import { signInVisit } from '../http/visit.js';
import type { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';

type CreateDeps = Pick<
  Deps,
  'bell' | 'caches' | 'clock' | 'config' | 'db' | 'hashing' | 'judge' | 'keys' | 'log' | 'outbound'
>;

export function showCreateAccount(deps: CreateDeps): Middleware {
  return async (ctx) => createForm(deps, ctx, readQuery(ctx), null);
}

export function postCreateAccount(deps: CreateDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, null);
        const password = chosenPassword(params);
        const here = broughtBack(ctx, deps.config, await deps.keys.get(), params) !== null;
        const interaction = here ? await readInteraction(deps, ctx, params, now) : null;
        const account = {
          ...{ token: params.get('token') ?? '', name: params.get('name') ?? '', password },
          ...{ current: await currentSession(deps, ctx, now), request_id: interaction?.pending.id ?? null },
          // Who has just made the account need not be told of it.
          visit: { ...(await signInVisit(deps, ctx, trusted)), knows: () => true },
        };
        const begun = await createAccount(deps, account, now);
        await goOnFrom(ctx, deps, begun, interaction);
        // The application waits in another browser: there is nothing to go on with here, and it is said kindly.
        if (params.has('request') && !here && begun.session !== null)
          ctx.set('Location', `${deps.config.base}/account-created`);
      },
      (error) => createForm(deps, ctx, params, error),
    );
  };
}

/** What follows where the application that the account was made for waits in another browser. */
export function accountCreated({ config }: Pick<Deps, 'config'>): Middleware {
  return (ctx) => render(ctx, config, { view: 'account_created', title: 'register.created_title', data: {} });
}

/** The form; without one where the link is not good any more: then it says so. */
async function createForm(
  deps: CreateDeps,
  ctx: Context,
  params: Params,
  error: UserError | null,
): Promise<void> {
  secretAddress(ctx);
  const [token, request] = [params.get('token') ?? '', params.get('request') ?? null];
  const pass = await ifGood(readPass(deps, token, deps.clock()));
  render(ctx, deps.config, {
    view: 'create_account',
    title: 'register.create',
    status: pass === null ? 404 : 200,
    data: {
      csrf: await csrfToken(deps, ctx, null),
      ...{ token, request },
      email: pass?.email ?? null,
      name: params.get('name') ?? pass?.name ?? '',
      error,
    },
  });
}
