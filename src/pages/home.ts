/**
 * The start page, GET /: who is signed in, sign out, what they can start, and for administrators what to do next. Decisions 22;
 * OpenID Connect Core §4.
 */
import type { Context, Middleware } from 'koa';
import { isClaimed } from '../actions/setup.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { productName } from '../http/brand.js';
import { csrfToken } from '../http/csrf.js';
import { shownClient } from '../http/interaction.js';
import { languagesOf } from '../http/language.js';
import { render } from '../http/render.js';
import { currentSession, isAdministrator } from '../http/session.js';
import type { Key } from '../languages/keys.js';
import { appendQuery } from '../oauth/response_modes/query.js';
import * as consents from '../store/consents.js';

type HomeDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function home(deps: HomeDeps): Middleware {
  return async (ctx) => {
    const session = await currentSession(deps, ctx, deps.clock());
    if (session !== null && session.deletes_at !== null)
      return seeOther(ctx, `${deps.config.base}/account/keep`);
    const is_admin = isAdministrator(session);
    render(ctx, deps.config, {
      view: 'home',
      title: { words: productName(ctx, deps.config) },
      data: {
        csrf: await csrfToken(deps, ctx, session?.id ?? null),
        person: session && { name: session.name, email: session.email },
        is_admin,
        applications: session === null ? [] : await applications(deps, ctx, session.user_id),
        claimed: session !== null || (await isClaimed(deps)),
        next_steps: is_admin ? nextSteps(deps.config.ISSUER) : [],
      },
    });
  };
}

/**
 * What a person may start a sign-in at from here: the operator's applications, and of those that registered themselves the ones that
 * they agreed to before. Nobody can put a name on other people's start page by registering it.
 */
async function applications(deps: HomeDeps, ctx: Context, user_id: string) {
  const startable = await deps.caches.startable();
  const by_itself = startable.some((client) => client.registration_token_hash !== null);
  const agreed = by_itself ? await consents.listClients(deps.db, user_id) : new Set();
  return startable
    .filter((client) => client.registration_token_hash === null || agreed.has(client.client_id))
    .map((client) => {
      const uri = client.initiate_login_uri ?? ''; // startable ones have it
      const { name } = shownClient(client, deps.config.base, languagesOf(ctx, deps.config, null));
      return { name, host: new URL(uri).host, uri: appendQuery(uri, { iss: deps.config.ISSUER }) };
    });
}

function nextSteps(issuer: string) {
  return [
    {
      title: 'home.add_application',
      text: 'home.add_application_text',
      command: 'npx sallyport clients add "My application" --redirect-uri https://app.example.com/callback',
    },
    {
      title: 'home.point_here',
      text: 'home.point_here_text',
      command: `${issuer}/.well-known/openid-configuration`,
    },
    {
      title: 'home.add_people',
      text: 'home.add_people_text',
      command: 'npx sallyport users add somebody@example.com --name "Somebody"',
    },
  ] as const satisfies readonly { title: Key; text: Key; command: string }[];
}
