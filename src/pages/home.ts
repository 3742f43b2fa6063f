/** The start page, GET /: who is signed in, sign out, and for administrators what to do next. Decisions 22. */
import type { Middleware } from 'koa';
import { isClaimed } from '../actions/setup.js';
import type { Deps } from '../deps.js';
import { csrfToken } from '../http/csrf.js';
import { render } from '../http/render.js';
import { currentSession, isAdministrator } from '../http/session.js';

export function home(deps: Pick<Deps, 'clock' | 'config' | 'db' | 'keys'>): Middleware {
  return async (ctx) => {
    const session = await currentSession(deps, ctx, deps.clock());
    const is_admin = isAdministrator(session);
    render(ctx, deps.config, {
      view: 'home',
      title: deps.config.PRODUCT_NAME,
      data: {
        csrf: await csrfToken(deps, ctx, session?.id ?? null),
        person: session && { name: session.name, email: session.email },
        is_admin,
        claimed: session !== null || (await isClaimed(deps)),
        next_steps: is_admin ? nextSteps(deps.config.ISSUER) : [],
      },
    });
  };
}

function nextSteps(issuer: string) {
  return [
    {
      title: 'Add an application',
      text: 'It prints the client_id and, once, the client_secret to give to the application.',
      command: 'npx sallyport clients add "My application" --redirect-uri https://app.example.com/callback',
    },
    {
      title: 'Point the application here',
      text: 'Any OpenID Connect library finds all it needs from the issuer.',
      command: `${issuer}/.well-known/openid-configuration`,
    },
    {
      title: 'Add people',
      text: 'Asks for a password, and lets them sign in to every application.',
      command: 'npx sallyport users add somebody@example.com --name "Somebody"',
    },
  ];
}
