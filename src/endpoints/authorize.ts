/**
 * Authorization endpoint, GET and POST /authorize, and /authorize/resume, where pages return to. RFC 6749 §4.1; OpenID Connect
 * Core §3.1.2.
 *
 * Two halves: until the client and its redirect URI are known good, an error is a page; from then on it goes back to the client.
 * nextStep alone decides what a request needs; whatever page that is, it comes back here.
 */
import type { Context, Middleware } from 'koa';
import { giveOut } from '../actions/authorization_responses.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { progressOf } from '../http/authorization_progress.js';
import { readAuthorizationRequest } from '../http/authorization_request.js';
import { type RespondTo, respond, respondAsked, respondTo } from '../http/authorization_response.js';
import { browserOf, knownBrowser } from '../http/browser.js';
import { sessionStateFor } from '../http/browser_state.js';
import { asOAuthError } from '../http/errors.js';
import { findClient } from '../http/interaction.js';
import { arrive, openPending, type PendingAuthorization, sealPending } from '../http/pending.js';
import { findPushed, isPushed } from '../http/pushed_requests.js';
import { readForm, readQuery } from '../http/read.js';
import { type Bringing, bringsObject, readRequestObject } from '../http/request_object.js';
import { currentSession } from '../http/session.js';
import { currentSignIn, stepPages } from '../http/sign_in.js';
import { acrsOf, acrToTell } from '../oauth/acr.js';
import {
  type AuthorizationRequest,
  readReplyTo,
  requestedRedirectUri,
  stillAllowed,
} from '../oauth/authorization_request.js';
import { errorObject } from '../oauth/errors.js';
import { nextStep, type Step } from '../oauth/next_step.js';
import type { Params } from '../oauth/params.js';
import { promptsOf } from '../oauth/prompt.js';
import { assertTransport, mustBeComplete } from '../oauth/request_transport.js';
import { type Client, isStranger } from '../store/clients.js';
import * as consents from '../store/consents.js';

export type AuthorizeDeps = Pick<
  Deps,
  'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'requestUris' | 'statusIndices'
>;

/** Where each step is done. */
const pages: Readonly<Record<Exclude<Step, 'respond'>, string>> = {
  login: '/login',
  register: '/register-account',
  keep_account: '/account/keep',
  ...stepPages,
  select_account: '/choose-account',
  consent: '/consent',
};

/** What prompt=none is refused with where a page would help. */
const silentRefusals: ReadonlySet<string> = new Set([
  'login_required',
  'interaction_required',
  'account_selection_required',
  'consent_required',
]);

/** A new request, from an application. */
export function authorize(deps: AuthorizeDeps): Middleware {
  const response_types = deps.config.RESPONSE_TYPES;
  return async (ctx) => {
    const now = deps.clock();
    const posted = ctx.method === 'POST';
    const params = posted ? await readForm(ctx) : readQuery(ctx);
    const client = await findClient(deps, params.require('client_id'));
    const begin = (request: AuthorizationRequest) => {
      // A cross-site POST carries no Lax cookie: it goes on as a GET, which does (decisions 16).
      if (posted) return resumeLater(deps, ctx, arrive(request, null, now));
      return advance(deps, ctx, client, arrive(request, knownBrowser(ctx, deps.config), now));
    };

    if (isPushed(params)) {
      const { request, refusal } = await findPushed(deps, params, client, now);
      return orTellClient(deps, ctx, respondTo(client, { request, arrived_at: now }), async () => {
        if (refusal !== null) throw refusal;
        return begin(stillAllowed(request, { client, response_types }, now));
      });
    }
    const signed = bringsObject(params);
    const asked = signed ? await openObject(deps, ctx, { params, client, pushed: false, now }) : params;
    if (asked === undefined) return undefined;
    const reply = readReplyTo(
      asked,
      requestedRedirectUri(asked, client),
      client,
      promptsOf(deps.config.USER_REGISTRATION),
    );
    return orTellClient(deps, ctx, { client, reply, arrived_at: now }, async () => {
      assertTransport(client, deps.config, { signed, pushed: false });
      return begin(await readAuthorizationRequest(deps, asked, { client, reply, now }));
    });
  };
}

/**
 * The parameters of a request object. One that is not accepted says nothing of where an answer goes: what stands beside it does, where
 * it may count; the client is then told, and this gives undefined.
 */
async function openObject(
  deps: AuthorizeDeps,
  ctx: Context,
  bringing: Bringing,
): Promise<Params | undefined> {
  try {
    return await readRequestObject(deps, bringing);
  } catch (error) {
    const { params, client, now } = bringing;
    if (mustBeComplete(client, deps.config) || !params.has('redirect_uri')) throw error;
    const reply = readReplyTo(
      params,
      requestedRedirectUri(params, client),
      client,
      promptsOf(deps.config.USER_REGISTRATION),
    );
    await orTellClient(deps, ctx, { client, reply, arrived_at: now }, () => Promise.reject(error));
    return undefined;
  }
}

/** A request that was under way: a page was done, or it came by POST. */
export function resumeAuthorization(deps: AuthorizeDeps): Middleware {
  const response_types = deps.config.RESPONSE_TYPES;
  return async (ctx) => {
    const now = deps.clock();
    const browser = browserOf(ctx, deps.config);
    const sealed = readQuery(ctx).require('request');
    const pending = openPending(await deps.keys.get(), 'authorization', sealed, {
      browser,
      now,
    });
    const client = await findClient(deps, pending.request.client_id);
    await orTellClient(deps, ctx, respondTo(client, pending), async () => {
      const request = stillAllowed(pending.request, { client, response_types }, now);
      return advance(deps, ctx, client, { ...pending, request });
    });
  };
}

/** The second half: what goes wrong from here on is sent to the client. */
async function orTellClient(
  deps: AuthorizeDeps,
  ctx: Context,
  to: RespondTo,
  work: () => Promise<void>,
): Promise<void> {
  const { client } = to;
  try {
    await work();
  } catch (error) {
    const told = asOAuthError(deps, ctx, error);
    const parameters = errorObject(deps.config.ISSUER, told);
    const silent = silentRefusals.has(told.code); // no page may be shown then, and none is dangerous (RFC 9700 §4.11.2)
    if (!silent && isStranger(client) && !(await hasAgreed(deps, ctx, client)))
      return respondAsked(ctx, deps, to, parameters);
    // An application that asked silently is told what to watch for the answer to change.
    const watched = silent
      ? sessionStateFor(
          ctx,
          deps.config,
          { client_id: client.client_id, redirect_uri: to.reply.redirect_uri },
          await currentSession(deps, ctx, deps.clock()),
        )
      : {};
    await respond(ctx, deps, to, { ...parameters, ...watched });
  }
}

/** Whether whoever sits at this browser agreed to the client before. */
async function hasAgreed(deps: AuthorizeDeps, ctx: Context, { client_id }: Client): Promise<boolean> {
  const session = await currentSession(deps, ctx, deps.clock());
  return session !== null && (await consents.find(deps.db, session.user_id, client_id)) !== undefined;
}

async function resumeLater(deps: AuthorizeDeps, ctx: Context, pending: PendingAuthorization): Promise<void> {
  const sealed = sealPending(await deps.keys.get(), 'authorization', pending);
  seeOther(ctx, `${deps.config.base}/authorize/resume?request=${sealed}`);
}

/** Answers the client, or sends the browser to the page that is needed next. */
async function advance(
  deps: AuthorizeDeps,
  ctx: Context,
  client: Client,
  pending: PendingAuthorization,
): Promise<void> {
  const now = deps.clock();
  const session = await currentSession(deps, ctx, now);
  if (session !== null && client.last_used_at !== null) await deps.caches.used(client, now);
  const sign_in = await currentSignIn(deps, ctx, session, now);
  const step = nextStep(await progressOf(deps, client, pending, { session, sign_in }), now);
  if (step !== 'respond' || session === null) {
    // The browser gets its cookie only now: an answer that needs no page needs none.
    const bound = { ...pending, browser: browserOf(ctx, deps.config) };
    const sealed = sealPending(await deps.keys.get(), 'authorization', bound);
    return seeOther(
      ctx,
      `${deps.config.base}${pages[step === 'respond' ? 'login' : step]}?request=${sealed}`,
    );
  }
  const { request } = pending;
  const acr = acrToTell(session.acr, acrsOf(request));
  const parameters = await giveOut(deps, { client, request, session: { ...session, acr } }, now);
  const watched = sessionStateFor(ctx, deps.config, request, session);
  await respond(ctx, deps, respondTo(client, pending), { ...parameters, ...watched });
}
