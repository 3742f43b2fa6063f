/** The login page, GET and POST /login. With a pending request it returns to the authorization endpoint, without one to the start page. */
import type { Context, Middleware } from 'koa';
import { signInByPasskey } from '../actions/passkey_sign_in.js';
import { signIn } from '../actions/password_sign_in.js';
import type { Deps } from '../deps.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { knownDevice } from '../http/device.js';
import { giveUp, type Interaction, readInteraction, shownClient } from '../http/interaction.js';
import { languagesOf } from '../http/language.js';
import { anyPasskeyForm, passkeySignal, readPasskey } from '../http/passkey_form.js';
import { readForm, readQuery } from '../http/read.js';
import { rememberedMark } from '../http/remembered_device.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { goOnFrom } from '../http/sign_in.js';
import { submit } from '../http/submit.js';
import {
  chosenProvider,
  knowsHomes,
  offeredProviders,
  setOutToSignIn,
  waitingNotice,
} from '../http/upstream.js';
import { signInVisit } from '../http/visit.js';
import { sourceOf } from '../limits/attempts.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';

export type LoginDeps = Pick<
  Deps,
  'bell' | 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'hashing' | 'keys' | 'log' | 'upstream'
>;

export function showLogin(deps: LoginDeps): Middleware {
  return async (ctx) => {
    const interaction = await readInteraction(deps, ctx, readQuery(ctx), deps.clock());
    await loginForm(deps, ctx, interaction, {
      email: interaction?.pending.request.login_hint ?? '',
      error: null,
    });
  };
}

export function postLogin(deps: LoginDeps): Middleware {
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
        if (params.get('action') === 'cancel' && interaction !== null) return giveUp(ctx, deps, interaction);

        const provider = await chosenProvider(deps, params);
        if (provider !== undefined) return setOutToSignIn(deps, ctx, provider, { interaction, email });
        const visit = await signInVisit(deps, ctx, trusted);
        const beginning = {
          ...{ source: sourceOf(visit.address), visit, request_id: interaction?.pending.id ?? null },
          current: await currentSession(deps, ctx, now),
        };
        const begun = params.has('passkey')
          ? await signInByPasskey(deps, { ...readPasskey(deps, ctx, params), ...beginning }, now)
          : await signIn(deps, { ...(await readCredentials(ctx, params)), ...beginning }, now);
        return goOnFrom(ctx, deps, begun, interaction);
      },
      (error) => loginForm(deps, ctx, interaction, { email, error }),
    );
  };

  async function readCredentials(ctx: Context, params: Params) {
    const email = params.get('email');
    const password = params.get('password');
    if (email === undefined) throw new UserError('invalid_input', 'login.email_missing', 'email');
    if (password === undefined) throw new UserError('invalid_input', 'login.password_missing', 'password');
    const ring = await deps.keys.get();
    return {
      ...{ email, password },
      device: (login: string) => knownDevice(ctx, deps.config, ring, login),
      remembered: (user_id: string) => rememberedMark(ctx, deps.config, ring, user_id),
    };
  }
}

async function loginForm(
  deps: LoginDeps,
  ctx: Context,
  interaction: Interaction | null,
  form: { readonly email: string; readonly error: UserError | null },
): Promise<void> {
  const { email, error } = form;
  const replaced = ctx.method === 'GET' && readQuery(ctx).get('done') === 'password';
  render(ctx, deps.config, {
    view: 'login',
    title: 'login.title',
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, null),
      request: interaction?.sealed ?? null,
      client:
        interaction &&
        shownClient(interaction.client, deps.config.base, languagesOf(ctx, deps.config, interaction.pending)),
      email,
      error,
      notice: replaced ? 'reset.done' : await waitingNotice(deps, ctx, deps.clock()),
      can_register: deps.config.USER_REGISTRATION === 'open',
      can_reset: deps.config.mail !== 'off',
      can_cancel: interaction !== null,
      passkey: await anyPasskeyForm(deps, ctx),
      passkey_signal: passkeySignal(deps.config, error),
      providers: await offeredProviders(deps),
      homes: await knowsHomes(deps),
    },
  });
}
