/** The account chooser, GET and POST /choose-account: go on as who is signed in, or as somebody else. prompt=select_account. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { goOn, type Interaction, requireInteraction, shownClient } from '../http/interaction.js';
import { languagesOf } from '../http/language.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { submit } from '../http/submit.js';
import * as sessions from '../store/sessions.js';

type ChooserDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showAccountChooser(deps: ChooserDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const interaction = await requireInteraction(deps, ctx, readQuery(ctx), now);
    const session = await currentSession(deps, ctx, now);
    if (session === null) return goOn(ctx, deps, interaction);
    await chooserForm(deps, ctx, interaction, session);
  };
}

export function postAccountChooser(deps: ChooserDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const interaction = await requireInteraction(deps, ctx, params, now);
    const session = await currentSession(deps, ctx, now);
    if (session === null) return goOn(ctx, deps, interaction);

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (params.get('action') !== 'continue')
          return seeOther(ctx, `${deps.config.base}/login?request=${interaction.sealed}`);
        await sessions.select(deps.db, session.id, interaction.pending.id, now);
        goOn(ctx, deps, interaction);
      },
      () => chooserForm(deps, ctx, interaction, session),
    );
  };
}

async function chooserForm(
  deps: ChooserDeps,
  ctx: Context,
  interaction: Interaction,
  session: sessions.LiveSession,
): Promise<void> {
  render(ctx, deps.config, {
    view: 'choose_account',
    title: 'choose.title',
    pending: interaction.pending,
    data: {
      csrf: await csrfToken(deps, ctx, session.id),
      request: interaction.sealed,
      client: shownClient(
        interaction.client,
        deps.config.base,
        languagesOf(ctx, deps.config, interaction.pending),
      ),
      person: { name: session.name, email: session.email },
    },
  });
}
