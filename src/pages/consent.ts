/** The consent page, GET and POST /consent: who asks, what will be shared, in words. OpenID Connect Core §3.1.2.4; protocol.md INT-11, INT-12. */
import type { Context, Middleware } from 'koa';
import { grantConsent } from '../actions/consents.js';
import type { Deps } from '../deps.js';
import { shownHost } from '../http/authorization_response.js';
import { consentItems } from '../http/consent_items.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { giveUp, goOn, type Interaction, requireInteraction, shownClient } from '../http/interaction.js';
import { languagesOf } from '../http/language.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { submit } from '../http/submit.js';
import type { Key } from '../languages/keys.js';
import { consentEachTime, wantedWords } from '../oauth/authorization.js';
import { type Client, isStranger } from '../store/clients.js';
import type { LiveSession } from '../store/sessions.js';

type ConsentDeps = Pick<Deps, 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function showConsent(deps: ConsentDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const interaction = await requireInteraction(deps, ctx, readQuery(ctx), now);
    const session = await currentSession(deps, ctx, now);
    if (session === null) return goOn(ctx, deps, interaction); // signed out meanwhile: it starts with the login page again
    await consentForm(deps, ctx, interaction, session);
  };
}

export function postConsent(deps: ConsentDeps): Middleware {
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
        const { pending, client } = interaction;
        const about = { client_id: client.client_id, user_id: session.user_id, sid: session.id };
        if (params.get('action') !== 'allow') {
          deps.log.info({ event: 'consent_denied', ...about }, 'consent denied');
          return giveUp(ctx, deps, interaction);
        }
        const words = wantedWords(pending.request, client, await deps.caches.resources());
        const approval = {
          user_id: session.user_id,
          client_id: client.client_id,
          words,
          request_id: pending.id,
        };
        await grantConsent(deps, approval, now);
        deps.log.info({ event: 'consent_granted', ...about }, 'consent granted');
        goOn(ctx, deps, interaction);
      },
      () => consentForm(deps, ctx, interaction, session),
    );
  };
}

async function consentForm(
  deps: ConsentDeps,
  ctx: Context,
  interaction: Interaction,
  session: LiveSession,
): Promise<void> {
  const { pending, client, sealed } = interaction;
  const resources = await deps.caches.resources();
  const shown = shownClient(client, deps.config.base, languagesOf(ctx, deps.config, pending));
  render(ctx, deps.config, {
    view: 'consent',
    title: { key: 'consent.page_title', values: { client: shown.name } },
    pending,
    data: {
      csrf: await csrfToken(deps, ctx, session.id),
      request: sealed,
      client: shown,
      person: { name: session.name, email: session.email },
      redirect_host: shownHost(pending.request.redirect_uri),
      items: consentItems(wantedWords(pending.request, client, resources), resources),
      warnings: warnings(client, pending.request.redirect_uri),
    },
  });
}

function warnings(client: Client, redirect_uri: string): readonly Key[] {
  return [
    ...(isStranger(client) ? (['consent.stranger'] as const) : []),
    ...(consentEachTime(client, redirect_uri) ? (['consent.on_device'] as const) : []),
  ];
}
