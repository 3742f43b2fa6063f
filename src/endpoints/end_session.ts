/**
 * End session endpoint, GET and POST /logout, and /logout/resume for what came by POST. OpenID Connect RP-Initiated Logout.
 * With a valid id_token_hint for this very session it signs out at once; otherwise the person is asked (§2, §6).
 */
import type { Context, Middleware } from 'koa';
import { signOut } from '../actions/sessions.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { browserOf } from '../http/browser.js';
import { arrive, openPending, sealPending } from '../http/pending.js';
import { readForm, readQuery } from '../http/read.js';
import { currentSession, takeSession } from '../http/session.js';
import { afterSignOut, returningClient } from '../http/sign_out.js';
import { type LogoutRequest, parseLogoutRequest, requestingClientId } from '../oauth/logout_request.js';
import type { Params } from '../oauth/params.js';
import { readHint } from '../tokens/id_token.js';
import { sidFor } from '../tokens/subject.js';

type LogoutDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function endSession(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const posted = ctx.method === 'POST';
    const request = await parse(deps, posted ? await readForm(ctx) : readQuery(ctx), now);
    if (!posted) return proceed(deps, ctx, request, now);
    // A cross-site POST carries no Lax cookie: it goes on as a GET, which does (decisions 16).
    const sealed = sealPending(await deps.keys.get(), 'logout', arrive(request, null, now));
    return seeOther(ctx, `${deps.config.base}/logout/resume?request=${sealed}`);
  };
}

export function resumeLogout(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const here = { browser: browserOf(ctx, deps.config), now };
    const sealed = readQuery(ctx).require('request');
    const { request } = openPending(await deps.keys.get(), 'logout', sealed, here);
    await proceed(deps, ctx, request, now);
  };
}

async function parse(deps: LogoutDeps, params: Params, now: number): Promise<LogoutRequest> {
  const given = params.get('id_token_hint');
  const hint =
    given === undefined ? undefined : await readHint(await deps.keys.get(), deps.config.ISSUER, given, now);
  // A hint that is none of ours vouches for nothing, and for no client beside it either (protocol.md RIL-06).
  const client_id = given !== undefined && hint === undefined ? null : requestingClientId(params, hint);
  const client = await returningClient(deps, client_id);
  return parseLogoutRequest(params, hint, client);
}

/** The session as the client of the request knows it. */
async function knownAs(
  { caches, keys }: Pick<Deps, 'caches' | 'keys'>,
  { client_id }: LogoutRequest,
  session_id: string,
): Promise<string> {
  const client = client_id === null ? undefined : await caches.client(client_id);
  return client === undefined ? session_id : sidFor(await keys.get(), client, session_id);
}

async function proceed(deps: LogoutDeps, ctx: Context, request: LogoutRequest, now: number): Promise<void> {
  const session = await currentSession(deps, ctx, now);
  if (session === null) return afterSignOut(deps, ctx, request, null); // nobody is signed in: nothing to ask
  if (request.hint_sid === (await knownAs(deps, request, session.id))) {
    const { client_ids, upstream } = await signOut(deps, session, now);
    takeSession(ctx, deps.config);
    return afterSignOut(deps, ctx, request, { sid: session.id, client_ids, upstream });
  }
  const sealed = sealPending(
    await deps.keys.get(),
    'logout',
    arrive(request, browserOf(ctx, deps.config), now),
  );
  return seeOther(ctx, `${deps.config.base}/logout/confirm?request=${sealed}`);
}
