/**
 * A web application whose people sign in at Sallyport. Both apps of the demo are this file with two configurations; copy it to
 * start your own. Authorization code flow with PKCE, state and nonce (OpenID Connect Core §3.1, RFC 7636), an access token for an
 * API (RFC 8707), the silent check (prompt=none), signing out here or everywhere (RP-Initiated Logout).
 */
import Router from '@koa/router';
import { decodeProtectedHeader } from 'jose';
import type Koa from 'koa';
import type { Context } from 'koa';
import * as oidc from 'openid-client';
import { failureOf, notices, signedOutFrom, unknownAnswer } from './app_messages.js';
import { type AppSessions, createAppSessions } from './app_sessions.js';
import { createSite, type SiteOptions, seeOther, show, showMessage } from './site.js';

export interface RelyingAppOptions extends SiteOptions {
  readonly client_id: string;
  readonly client_secret: string;
  /** The scopes to ask for. */
  readonly scope: string;
  /** The API the access token is for. */
  readonly api: string;
  /** The name of the session cookie. */
  readonly cookie: string;
  /** The other app, for a link. */
  readonly other: { readonly name: string; readonly url: string };
}

/** A sign-in under way: what the answer must match. Never leaves this server, but for the hash of code_verifier. */
interface Pending {
  readonly nonce: string;
  readonly code_verifier: string;
  /** Whether it was asked with prompt=none, so that no page was shown. */
  readonly silent: boolean;
}

interface SignedIn {
  readonly id_token: string;
  readonly claims: oidc.IDToken;
  readonly access_token: string;
}

interface Session {
  /** By state, since a person may sign in in two tabs at once. */
  readonly pending: Map<string, Pending>;
  signed_in: SignedIn | null;
  /** Said once, on the next page. */
  notice: string | null;
}

interface App extends RelyingAppOptions {
  readonly provider: oidc.Configuration;
  readonly sessions: AppSessions<Session>;
}

export async function createRelyingApp(options: RelyingAppOptions): Promise<Koa> {
  const { issuer, client_id, client_secret, cookie, url } = options;
  // Everything about the server is in its discovery document. https needs no `execute`: these are for the loopback http of a demo,
  // where no TLS vouches for the answers, so that the signature of the ID token must.
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
  const authentication = oidc.ClientSecretBasic(client_secret);
  const provider = await oidc.discovery(new URL(issuer), client_id, undefined, authentication, { execute });
  const app: App = {
    ...options,
    provider,
    sessions: createAppSessions({ cookie, secure: url.startsWith('https:') }),
  };

  const router = new Router();
  router.get('/', home(app));
  router.get('/login', sendToProvider(app, { silent: false }));
  router.get('/check', sendToProvider(app, { silent: true }));
  router.get('/callback', callback(app));
  router.post('/sign-out', signOutHere(app));
  router.post('/sign-out-everywhere', signOutEverywhere(app));
  router.get('/signed-out', signedOut(app));
  return createSite(app, router);
}

type Handler = (ctx: Context) => Promise<void>;

function home(app: App): Handler {
  return async (ctx) => {
    const session = app.sessions.find(ctx);
    const { signed_in = null, notice = null } = session ?? {};
    if (session !== undefined) session.notice = null;
    const person = signed_in && {
      claims: signed_in.claims,
      header: decodeProtectedHeader(signed_in.id_token),
      answer: await callApi(app.api, signed_in.access_token),
    };
    await show(ctx, app, 'home', { person, notice });
  };
}

/** From this server to that one: the access token never reaches the browser. */
async function callApi(
  api: string,
  access_token: string,
): Promise<{ readonly status: number | null; readonly body: unknown }> {
  try {
    const headers = { authorization: `Bearer ${access_token}` };
    const response = await fetch(api, { headers, signal: AbortSignal.timeout(5000) });
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: null, body: null }; // the page says that the API does not answer
  }
}

/** Sends the browser to the server: to sign in, or, silently, to ask whether its person is signed in there. */
function sendToProvider(app: App, { silent }: { readonly silent: boolean }): Handler {
  return async (ctx) => {
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    const code_verifier = oidc.randomPKCECodeVerifier();
    const { pending } = app.sessions.find(ctx) ?? app.sessions.start(ctx, newSession());
    pending.set(state, { nonce, code_verifier, silent });
    for (const oldest of pending.keys()) if (pending.size > 10) pending.delete(oldest);

    const url = oidc.buildAuthorizationUrl(app.provider, {
      redirect_uri: `${app.url}/callback`,
      scope: app.scope,
      resource: app.api,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
      ...(silent && { prompt: 'none' }),
    });
    const asked = silent ? 'asks silently (prompt=none)' : 'sends the browser to sign in';
    app.report(`${asked}, with state, nonce and PKCE`);
    seeOther(ctx, url.href);
  };
}

/** The browser is back with a code, or with an error. The library checks state, issuer, signature, audience, expiry and nonce. */
function callback(app: App): Handler {
  return async (ctx) => {
    const answer = new URL(`${app.url}/callback${ctx.search}`);
    const state = answer.searchParams.get('state') ?? '';
    const session = app.sessions.find(ctx);
    const pending = session?.pending.get(state);
    if (session === undefined || pending === undefined) return showMessage(ctx, app, unknownAnswer);
    session.pending.delete(state);
    try {
      const { nonce: expectedNonce, code_verifier: pkceCodeVerifier } = pending;
      const checks = { expectedState: state, expectedNonce, pkceCodeVerifier, idTokenExpected: true };
      const tokens = await oidc.authorizationCodeGrant(app.provider, answer, checks);
      completeSignIn(app, ctx, { session, silent: pending.silent, tokens });
    } catch (error) {
      await failSignIn(app, ctx, { session, silent: pending.silent, error });
    }
  };
}

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

function completeSignIn(
  app: App,
  ctx: Context,
  done: { readonly session: Session; readonly silent: boolean; readonly tokens: Tokens },
): void {
  const { id_token = '', access_token } = done.tokens;
  const claims = done.tokens.claims();
  if (claims === undefined) throw new Error('there is no ID token');
  const before = done.session.signed_in?.claims.sub;
  const notice = before === claims.sub ? notices.still_signed_in : notices.signed_in_silently;
  // A new cookie, so that nobody who knew the old one is signed in along with this person.
  app.sessions.start(ctx, {
    pending: done.session.pending,
    signed_in: { id_token, claims, access_token },
    notice: done.silent ? notice : null,
  });
  app.report(`checked the ID token: ${String(claims.email ?? claims.sub)} is signed in here`);
  seeOther(ctx, '/');
}

/** An error from the server comes with our state, so it is an answer to this request. */
async function failSignIn(
  app: App,
  ctx: Context,
  failed: { readonly session: Session; readonly silent: boolean; readonly error: unknown },
): Promise<void> {
  const { session, silent, error } = failed;
  const code = codeOf(error);
  if (silent && code === 'login_required') {
    app.report('hears login_required: nobody is signed in there, so nobody is here');
    app.sessions.start(
      ctx,
      newSession(session.signed_in ? notices.signed_out_elsewhere : notices.nobody_there),
    );
    return seeOther(ctx, '/');
  }
  app.report(`could not sign in its person: ${code ?? (error instanceof Error ? error.message : 'unknown')}`);
  if (silent && code?.endsWith('_required')) {
    session.notice = notices.question_first;
    return seeOther(ctx, '/');
  }
  await showMessage(ctx, app, failureOf(code ?? 'invalid_response'));
}

/** The error code that the server gave; undefined where it gave none, or nothing that can be trusted. */
function codeOf(error: unknown): string | undefined {
  const told = error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError;
  return told ? error.error : undefined;
}

/** Ends the session of this app alone: the server still knows the person, so the next sign-in needs no password. */
function signOutHere(app: App): Handler {
  return async (ctx) => {
    app.report('signs its person out here, and nowhere else');
    app.sessions.start(ctx, newSession(notices.signed_out_here));
    seeOther(ctx, '/');
  };
}

/** Ends the session here, and sends the browser to end the one at the server. id_token_hint says whose, so that nobody is asked. */
function signOutEverywhere(app: App): Handler {
  return async (ctx) => {
    const id_token_hint = app.sessions.find(ctx)?.signed_in?.id_token;
    app.sessions.start(ctx, newSession());
    app.report('sends the browser to sign out everywhere (id_token_hint)');
    const url = oidc.buildEndSessionUrl(app.provider, {
      post_logout_redirect_uri: `${app.url}/signed-out`,
      ...(id_token_hint !== undefined && { id_token_hint }),
    });
    seeOther(ctx, url.href);
  };
}

function signedOut(app: App): Handler {
  return async (ctx) => {
    if (app.sessions.find(ctx)?.signed_in) return seeOther(ctx, '/'); // an old page, reloaded
    await showMessage(ctx, app, signedOutFrom(app.other.name));
  };
}

function newSession(notice: string | null = null): Session {
  return { pending: new Map(), signed_in: null, notice };
}
