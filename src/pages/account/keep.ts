/**
 * The one page of an account that is about to be deleted, GET and POST /account/keep: its owner signed in again and can keep it. With a
 * pending request it returns to the authorization endpoint, without one to the account.
 */
import type { Context, Middleware } from 'koa';
import { keepAccount } from '../../actions/deletion.js';
import type { Deps } from '../../deps.js';
import { forPerson } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { parseNetworks } from '../../http/client_address.js';
import { assertOwnForm, csrfToken } from '../../http/csrf.js';
import { goOn, type Interaction, readInteraction } from '../../http/interaction.js';
import { readForm, readQuery } from '../../http/read.js';
import { render } from '../../http/render.js';
import { submit } from '../../http/submit.js';
import { visitOf } from '../../http/visit.js';
import type { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';

type KeepDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function showKeep(deps: KeepDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    const interaction = await readInteraction(deps, ctx, readQuery(ctx), now);
    if (session.deletes_at === null) return leave(deps, ctx, interaction);
    await keepForm(deps, ctx, session, { interaction, error: null });
  });
}

export function postKeep(deps: KeepDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const interaction = await readInteraction(deps, ctx, params, now);
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        await keepAccount(deps, session.user_id, visitOf(ctx, trusted), now);
        leave(deps, ctx, interaction);
      },
      (error) => keepForm(deps, ctx, session, { interaction, error }),
    );
  });
}

/** Where the account is gone instead, the next page says so: it asks to sign in. */
function leave(deps: KeepDeps, ctx: Context, interaction: Interaction | null): void {
  if (interaction !== null) goOn(ctx, deps, interaction);
  else seeOther(ctx, `${deps.config.base}/account?done=kept`);
}

async function keepForm(
  deps: KeepDeps,
  ctx: Context,
  session: LiveSession,
  { interaction, error }: { readonly interaction: Interaction | null; readonly error: UserError | null },
): Promise<void> {
  render(ctx, deps.config, {
    view: 'account/keep',
    title: 'account.keep_heading',
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, session.id),
      request: interaction?.sealed ?? null,
      person: { name: session.name, email: session.email },
      deletes_at: session.deletes_at,
      zone: session.zoneinfo ?? undefined,
      error,
    },
  });
}
