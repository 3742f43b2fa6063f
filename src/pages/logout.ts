/** The sign-out pages: the question, GET and POST /logout/confirm, and the end, GET /signed-out. RP-Initiated Logout §2, §6. */
import type { Context, Middleware } from 'koa';
import { signOut } from '../actions/sessions.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { browserOf } from '../http/browser.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { framingPageHeaders } from '../http/headers.js';
import { shownClient } from '../http/interaction.js';
import { languagesOf } from '../http/language.js';
import { arrive, openPending, type Pending } from '../http/pending.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession, takeSession } from '../http/session.js';
import { afterSignOut, logoutFrames, returningClient, returnUri, type SignedOut } from '../http/sign_out.js';
import { submit } from '../http/submit.js';
import { upstreamSignOut } from '../http/upstream_sign_out.js';
import type { LogoutRequest } from '../oauth/logout_request.js';
import type { Params } from '../oauth/params.js';
import type { LiveSession } from '../store/sessions.js';

type LogoutDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

const byItself: LogoutRequest = {
  client_id: null,
  post_logout_redirect_uri: null,
  state: null,
  hint_sid: null,
  ui_locales: [],
};

export function showLogout(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const params = readQuery(ctx);
    const pending = await readRequest(deps, ctx, params, now);
    const session = await currentSession(deps, ctx, now);
    if (session === null) return afterSignOut(deps, ctx, pending.request, null);
    await logoutForm(deps, ctx, { pending, sealed: params.get('request') ?? null, session });
  };
}

export function postLogout(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const pending = await readRequest(deps, ctx, params, now);
    const session = await currentSession(deps, ctx, now);
    if (session === null) return afterSignOut(deps, ctx, pending.request, null);

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (params.get('action') !== 'sign_out') return seeOther(ctx, `${deps.config.base}/`);
        const { client_ids, upstream } = await signOut(deps, session, now);
        takeSession(ctx, deps.config);
        await afterSignOut(deps, ctx, pending.request, { sid: session.id, client_ids, upstream });
      },
      () => logoutForm(deps, ctx, { pending, sealed: params.get('request') ?? null, session }),
    );
  };
}

/** The end. Where applications are told by frames, the page waits for them, five seconds at most, before it goes on. */
export function signedOut(deps: Pick<Deps, 'caches' | 'clock' | 'config' | 'keys'>): Middleware {
  return async (ctx) => {
    const params = readQuery(ctx);
    const sealed = await readSignedOut(deps, ctx, params);
    const page = sealed?.request ?? null;
    const pending = page && sealed && { arrived_at: sealed.arrived_at, request: page.request };
    const client = await returningClient(deps, page?.request.client_id ?? params.get('client_id') ?? null);
    const frames = page === null ? [] : await logoutFrames(deps, page.ended);
    if (frames.length > 0) framingPageHeaders(ctx, new Set(frames.map((frame) => new URL(frame).origin)));
    render(ctx, deps.config, {
      view: 'signed_out',
      title: 'logout.done',
      pending,
      data: {
        client:
          client === undefined
            ? null
            : shownClient(client, deps.config.base, languagesOf(ctx, deps.config, pending)),
        frames,
        upstream: await offeredSignOut(deps, page, params),
        next: page === null ? null : returnUri(page.request, client),
      },
    });
  };
}

/** The provider that the session came from, and the way to sign out there as well. */
async function offeredSignOut(
  deps: Pick<Deps, 'caches' | 'config'>,
  page: SignedOut | null,
  params: Params,
): Promise<{ readonly name: string; readonly href: string } | null> {
  const upstream = page?.ended.upstream ?? null;
  const onwards = await upstreamSignOut(deps, upstream);
  if (upstream === null || onwards === null) return null;
  const query = new URLSearchParams({ request: params.get('request') ?? '' });
  return {
    name: onwards.name,
    href: `${deps.config.base}/upstream/${upstream.provider_id}/sign-out?${query}`,
  };
}

async function readSignedOut(
  deps: Pick<Deps, 'clock' | 'config' | 'keys'>,
  ctx: Context,
  params: Params,
): Promise<Pending<SignedOut> | null> {
  const sealed = params.get('request');
  if (sealed === undefined) return null;
  const here = { browser: browserOf(ctx, deps.config), now: deps.clock() };
  return openPending(await deps.keys.get(), 'signed_out', sealed, here);
}

async function readRequest(
  deps: LogoutDeps,
  ctx: Context,
  params: Params,
  now: number,
): Promise<Pending<LogoutRequest>> {
  const sealed = params.get('request');
  if (sealed === undefined) return arrive(byItself, null, now);
  const here = { browser: browserOf(ctx, deps.config), now };
  return openPending(await deps.keys.get(), 'logout', sealed, here);
}

interface LogoutForm {
  readonly pending: Pending<LogoutRequest>;
  readonly sealed: string | null;
  readonly session: LiveSession;
}

async function logoutForm(
  deps: LogoutDeps,
  ctx: Context,
  { pending, sealed, session }: LogoutForm,
): Promise<void> {
  const client = await returningClient(deps, pending.request.client_id);
  render(ctx, deps.config, {
    view: 'logout',
    title: 'logout.title',
    pending,
    data: {
      csrf: await csrfToken(deps, ctx, session.id),
      request: sealed,
      client:
        client === undefined
          ? null
          : shownClient(client, deps.config.base, languagesOf(ctx, deps.config, pending)),
      person: { name: session.name, email: session.email },
    },
  });
}
