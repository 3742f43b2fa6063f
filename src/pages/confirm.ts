/** The page that asks again who one is before something sensitive, GET and POST /confirm. It leads back to a page of the account. */
import type { Context, Middleware } from 'koa';
import { confirmPassword, confirmTotp } from '../actions/confirm.js';
import { confirmPasskey } from '../actions/passkey_confirm.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { clientAddress, parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { knownDevice } from '../http/device.js';
import { ownPasskeyForm, readPasskey } from '../http/passkey_form.js';
import { readForm, readQuery } from '../http/read.js';
import { backFromConfirm, isRecent } from '../http/recent_proof.js';
import { render } from '../http/render.js';
import { currentSession, giveSession } from '../http/session.js';
import { submit } from '../http/submit.js';
import { confirmingProviders, findProvider, setOut, showProblem } from '../http/upstream.js';
import { sourceOf } from '../limits/attempts.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import * as credentials from '../store/credentials.js';
import type { LiveSession } from '../store/sessions.js';

type ConfirmDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'hashing' | 'keys' | 'log' | 'upstream'>;

export function showConfirm(deps: ConfirmDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const to = readQuery(ctx).get('to');
    const session = await currentSession(deps, ctx, now);
    if (session === null) return seeOther(ctx, `${deps.config.base}/login`);
    if (isRecent(session, now)) return seeOther(ctx, backFromConfirm(deps.config, to));
    await confirmForm(deps, ctx, session, { to: to ?? '', error: null });
  };
}

export function postConfirm(deps: ConfirmDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const to = params.get('to') ?? '';
    const session = await currentSession(deps, ctx, now);
    if (session === null) return seeOther(ctx, `${deps.config.base}/login`);

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (params.has('provider')) return confirmThere(deps, ctx, session, params);
        const source = sourceOf(clientAddress(ctx, trusted));
        const code = params.get('code');
        if (code !== undefined) {
          giveSession(ctx, deps.config, (await confirmTotp(deps, session, code, now)).cookie);
          return seeOther(ctx, backFromConfirm(deps.config, to));
        }
        const { cookie } = params.has('passkey')
          ? await confirmPasskey(deps, session, { ...readPasskey(deps, ctx, params), source }, now)
          : await confirmPassword(deps, session, { ...(await readPassword(ctx, params)), source }, now);
        giveSession(ctx, deps.config, cookie);
        seeOther(ctx, backFromConfirm(deps.config, to));
      },
      (error) => confirmForm(deps, ctx, session, { to, error }),
    );
  };

  async function readPassword(ctx: Context, params: Params) {
    const password = params.get('password');
    if (password === undefined) throw new UserError('invalid_input', 'confirm.password_missing', 'password');
    const ring = await deps.keys.get();
    return { password, device: (login: string) => knownDevice(ctx, deps.config, ring, login) };
  }
}

/** To a provider, to prove there who one is; its answer goes on from here. */
async function confirmThere(
  deps: ConfirmDeps,
  ctx: Context,
  session: LiveSession,
  params: Params,
): Promise<void> {
  const provider = await findProvider(deps, params.get('provider'));
  if (!(await confirmingProviders(deps, session.user_id)).some(({ id }) => id === provider.id))
    throw new UserError('not_found', 'upstream.no_provider');
  const to = params.get('to') ?? '';
  const purpose = { for: 'confirm', session_id: session.id, to } as const;
  await setOut(deps, ctx, provider, { purpose, again: true, login_hint: null }).catch((error: unknown) =>
    showProblem(deps, ctx, error, {
      provider,
      back: `${deps.config.base}/confirm?${new URLSearchParams({ to })}`,
    }),
  );
}

async function confirmForm(
  deps: ConfirmDeps,
  ctx: Context,
  session: LiveSession,
  { to, error }: { readonly to: string; readonly error: UserError | null },
): Promise<void> {
  render(ctx, deps.config, {
    view: 'confirm',
    title: 'confirm.title',
    data: {
      csrf: await csrfToken(deps, ctx, session.id),
      to,
      person: { name: session.name, email: session.email },
      error,
      providers: await confirmingProviders(deps, session.user_id),
      back: backFromConfirm(deps.config, undefined),
      passkey: await ownPasskeyForm(deps, ctx, session.user_id),
      has_password: (await credentials.find(deps.db, session.user_id, 'password')) !== undefined,
      has_app: (await credentials.find(deps.db, session.user_id, 'totp')) !== undefined,
    },
  });
}
