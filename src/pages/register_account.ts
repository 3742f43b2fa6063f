/** Asking for an account, GET and POST /register-account: the address alone. The rest follows behind the link of a mail. */
import type { Context, Middleware } from 'koa';
import { askForAccount } from '../actions/registration.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { type Interaction, readInteraction, shownClient } from '../http/interaction.js';
import { languageOf, languagesOf } from '../http/language.js';
import { carriedBy } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { submit } from '../http/submit.js';
import { visitOf } from '../http/visit.js';
import { UserError } from '../oauth/errors.js';

type RegisterDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showRegisterAccount(deps: RegisterDeps): Middleware {
  return async (ctx) => {
    const interaction = await readInteraction(deps, ctx, readQuery(ctx), deps.clock());
    const email = interaction?.pending.request.login_hint ?? '';
    await registerForm(deps, ctx, interaction, { email, error: null });
  };
}

export function postRegisterAccount(deps: RegisterDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const interaction = await readInteraction(deps, ctx, params, now);
    const email = params.get('email') ?? '';
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, null);
        if (deps.config.USER_REGISTRATION !== 'open')
          throw new UserError('not_allowed', 'register.closed_title');
        const language = languageOf(ctx, deps.config, interaction?.pending ?? null);
        const asked = { email, visit: visitOf(ctx, trusted), language, more: carriedBy(interaction) };
        await askForAccount(deps, asked, now);
        seeOther(ctx, `${deps.config.base}/check-mail?for=account`);
      },
      (error) => registerForm(deps, ctx, interaction, { email, error }),
    );
  };
}

async function registerForm(
  deps: RegisterDeps,
  ctx: Context,
  interaction: Interaction | null,
  { email, error }: { readonly email: string; readonly error: UserError | null },
): Promise<void> {
  const { config } = deps;
  const open = config.USER_REGISTRATION === 'open';
  const pending = interaction?.pending ?? null;
  render(ctx, config, {
    view: 'register_account',
    title: open ? 'register.create' : 'register.closed_title',
    status: open ? 200 : 403,
    pending,
    data: {
      csrf: await csrfToken(deps, ctx, null),
      request: interaction?.sealed ?? null,
      client: interaction && shownClient(interaction.client, config.base, languagesOf(ctx, config, pending)),
      open,
      email,
      error,
    },
  });
}
