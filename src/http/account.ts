/**
 * The frame of the account pages: for whoever is signed in, and nobody else. Without a session the login page comes first, and leads
 * back. An account that is about to be deleted has one page alone, which offers to keep it.
 */
import type { Context, Middleware } from 'koa';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import type { Key } from '../languages/keys.js';
import type { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import type { Visit } from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import { type Section, sections } from './account_sections.js';
import { signInFirst } from './after_sign_in.js';
import { seeOther } from './answer.js';
import { parseNetworks } from './client_address.js';
import { assertOwnForm, csrfToken } from './csrf.js';
import { readForm } from './read.js';
import { render } from './render.js';
import { currentSession } from './session.js';
import { submit } from './submit.js';
import type { ViewName } from './views.js';
import { visitOf } from './visit.js';

type AccountDeps = Pick<Deps, 'clock' | 'config' | 'db'>;

/** The page that an account which is about to be deleted has. */
const keep_path = '/account/keep';

/** A handler of a page of the account: `now` is whole seconds since 1970. */
export type AccountHandler = (ctx: Context, session: LiveSession, now: number) => Promise<unknown>;

/** Every route under /account goes through here. */
export function forPerson(deps: AccountDeps, handle: AccountHandler): Middleware {
  const { base } = deps.config;
  return async (ctx) => {
    const now = deps.clock();
    const session = await currentSession(deps, ctx, now);
    const path = ctx.path.slice(base.length);
    if (session === null) return signInFirst(ctx, deps.config, path);
    if (session.deletes_at !== null && path !== keep_path) return seeOther(ctx, base + keep_path);
    await handle(ctx, session, now);
  };
}

/** A form that was posted, by whom and from where. */
export interface PostedForm {
  readonly params: Params;
  readonly session: LiveSession;
  readonly visit: Visit;
  /** Whole seconds since 1970. */
  readonly now: number;
}

/**
 * A page of the account that a form is posted to: `act` runs where it is a form that we gave to this person, and `showAgain` where it is
 * not, or `act` throws a UserError.
 */
export function postForPerson(
  deps: AccountDeps & Pick<Deps, 'keys'>,
  act: (ctx: Context, form: PostedForm) => Promise<void>,
  showAgain: (ctx: Context, form: PostedForm, error: UserError) => Promise<void>,
): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const form = { params, session, visit: visitOf(ctx, trusted), now };
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        await act(ctx, form);
      },
      (error) => showAgain(ctx, form, error),
    );
  });
}

export interface AccountPage {
  readonly view: ViewName & `account/${string}`;
  readonly title: Key;
  /** The section it belongs to, where it is not the page of one. */
  readonly section?: Section['path'];
  readonly data: Readonly<Record<string, unknown>>;
}

/** Shows a page of the account in its frame. */
export async function renderAccount(
  deps: Pick<Deps, 'caches' | 'config' | 'keys'>,
  ctx: Context,
  session: LiveSession,
  { view, title, section: own, data }: AccountPage,
): Promise<void> {
  const path = own ?? ctx.path.slice(deps.config.base.length);
  const zone = session.zoneinfo ?? undefined;
  const csrf = await csrfToken(deps, ctx, session.id);
  const providers = await deps.caches.identityProviders();
  const nav = sections
    .map((section) => ({ ...section, current: section.path === path }))
    .filter((section) => section.current || section.path !== '/account/providers' || providers.length > 0);
  render(ctx, deps.config, { view, title, data: { error: null, ...data, csrf, zone, sections: nav } });
}

/** Until when an account that is deleted now can be kept; null where it is deleted at once. */
export function keptUntil(
  config: Pick<Config, 'ACCOUNT_DELETION_GRACE_SECONDS'>,
  now: number,
): number | null {
  const { ACCOUNT_DELETION_GRACE_SECONDS: grace_seconds } = config;
  return grace_seconds === 0 ? null : now + grace_seconds;
}

/** What was done just now, as the address of a page says it after a POST; null for anything that is not in the list. */
export function doneNow(ctx: Context, notices: Readonly<Record<string, Key>>): Key | null {
  const done = new URLSearchParams(ctx.querystring).get('done') ?? '';
  return Object.hasOwn(notices, done) ? (notices[done] ?? null) : null;
}
