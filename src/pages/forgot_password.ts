/** Asking for a new password by mail, GET and POST /forgot-password. The answer is the same for every address (hardening row 16). */
import type { Context, Middleware } from 'koa';
import { askForReset } from '../actions/reset_password.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { type Interaction, readInteraction } from '../http/interaction.js';
import { languageOf } from '../http/language.js';
import { carriedBy } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { submit } from '../http/submit.js';
import { visitOf } from '../http/visit.js';
import { UserError } from '../oauth/errors.js';

type ForgotDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showForgotPassword(deps: ForgotDeps): Middleware {
  return async (ctx) => {
    const interaction = await readInteraction(deps, ctx, readQuery(ctx), deps.clock());
    await forgotForm(deps, ctx, interaction, { email: '', error: null });
  };
}

export function postForgotPassword(deps: ForgotDeps): Middleware {
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
        if (deps.config.mail === 'off') throw new UserError('not_allowed', 'reset.off');
        if (email.trim() === '') throw new UserError('invalid_input', 'reset.email_missing', 'email');
        const language = languageOf(ctx, deps.config, interaction?.pending ?? null);
        const asked = { email, visit: visitOf(ctx, trusted), language, more: carriedBy(interaction) };
        await askForReset(deps, asked, now);
        seeOther(ctx, `${deps.config.base}/check-mail`);
      },
      (error) => forgotForm(deps, ctx, interaction, { email, error }),
    );
  };
}

async function forgotForm(
  deps: ForgotDeps,
  ctx: Context,
  interaction: Interaction | null,
  { email, error }: { readonly email: string; readonly error: UserError | null },
): Promise<void> {
  render(ctx, deps.config, {
    view: 'forgot_password',
    title: 'reset.forgot',
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, null),
      request: interaction?.sealed ?? null,
      can_send: deps.config.mail !== 'off',
      email,
      error,
    },
  });
}
