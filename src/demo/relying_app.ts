/**
 * A web application whose people sign in at Sallyport. Both apps of the demo are this file with two configurations; copy it to
 * start your own. Signing in and out, sessions and the silent check are the sign-in package's; here are the pages, and an API that is
 * called with the person's access token (RFC 8707).
 */
import Router from '@koa/router';
import { decodeProtectedHeader } from 'jose';
import type Koa from 'koa';
import type { Context } from 'koa';
import {
  createSignIn,
  koaSignIn,
  memorySessions,
  type Person,
  type SessionStore,
  type SignIn,
  type SignInError,
} from '../relying_party/sign_in/index.js';
import { failureOf, notices, signedOutFrom } from './app_messages.js';
import { createSite, messageResponse, type SiteOptions, seeOther, show, showMessage } from './site.js';
import { createVisits, type Visits } from './visits.js';

export interface RelyingAppOptions extends SiteOptions {
  readonly client_id: string;
  readonly client_secret: string;
  /** The scopes to ask for. */
  readonly scope: string;
  /** The API the access token is for. */
  readonly api: string;
  /** What the names of the cookies begin with. */
  readonly cookie: string;
  /** The other app, for a link. */
  readonly other: { readonly name: string; readonly url: string };
}

/** What is remembered of a browser in which somebody has signed in, also when they are not any more. */
interface Visit {
  /** Kept after the session has ended, to show that the API refuses it. An application of yours would forget it. */
  readonly access_token: string | null;
  /** Of the last sign-in: tells whether there was a new one since. */
  readonly id_token: string | null;
  /** Whether they were signed in when this app last looked, or how they signed out here. */
  state: 'signed_in' | 'ended' | 'ended_here';
  /** Said once, on the next page. */
  notice: string | null;
}

interface App extends RelyingAppOptions {
  readonly signIn: SignIn;
  readonly visits: Visits<Visit>;
}

export function createRelyingApp(options: RelyingAppOptions): Koa {
  const { api, client_id, client_secret, cookie, issuer, report, scope, url } = options;
  const signIn = createSignIn({
    ...{ issuer, client_id, client_secret, cookie, scope },
    resource: api,
    redirect_uri: `${url}/callback`,
    post_logout_redirect_uri: `${url}/signed-out`,
    home: '/signed-in',
    sessions: narratedSessions(report),
    showError: (error) => messageResponse(options, failureOf(error)),
    onError: (error) => report(describe(error)),
  });
  const visits = createVisits<Visit>({ cookie: `${cookie}_visit`, secure: url.startsWith('https:') });
  const app: App = { ...options, signIn, visits };

  const router = new Router();
  router.get('/', home(app));
  router.get('/signed-in', signedIn(app));
  router.get('/checked', checked(app));
  router.get('/signed-out', signedOut(app));
  return createSite(app, router, [watchSignIn(app), koaSignIn(signIn)]);
}

type Handler = (ctx: Context) => Promise<void>;

function home(app: App): Handler {
  return async (ctx) => {
    const person = await app.signIn.session(ctx.req);
    const visit = app.visits.find(ctx);
    if (person === null && visit?.state === 'signed_in') endElsewhere(visit);
    const notice = visit?.notice ?? null;
    if (visit !== undefined) visit.notice = null;
    const access_token = person === null ? visit?.access_token : person.access_token;
    await show(ctx, app, 'home', {
      person: person && { claims: person.claims, header: decodeProtectedHeader(person.id_token) },
      answer: access_token ? await callApi(app.api, access_token) : null,
      notice,
    });
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

/** Where a sign-in ends. */
function signedIn(app: App): Handler {
  return async (ctx) => {
    const person = await app.signIn.session(ctx.req);
    if (person !== null && isNew(app, ctx, person)) startVisit(app, ctx, person, null);
    seeOther(ctx, '/');
  };
}

/** Where the silent check ends, whatever it found. */
function checked(app: App): Handler {
  return async (ctx) => {
    const person = await app.signIn.session(ctx.req);
    const visit = app.visits.find(ctx);
    if (person !== null) {
      const known = visit?.state === 'signed_in';
      if (isNew(app, ctx, person))
        startVisit(app, ctx, person, known ? notices.still_signed_in : notices.signed_in_silently);
      else if (visit !== undefined) visit.notice = notices.question_first; // no new tokens: it wanted to ask
    } else if (visit?.state === 'signed_in') {
      app.report('hears that nobody is signed in there, so nobody is here');
      endElsewhere(visit);
    } else {
      app.visits.start(ctx, {
        access_token: visit?.access_token ?? null,
        id_token: null,
        state: 'ended',
        notice: notices.not_silently,
      });
    }
    seeOther(ctx, '/');
  };
}

function signedOut(app: App): Handler {
  return async (ctx) => {
    if ((await app.signIn.session(ctx.req)) !== null) return seeOther(ctx, '/'); // an old page, reloaded
    const visit = app.visits.find(ctx);
    if (visit?.state !== 'ended_here') return showMessage(ctx, app, signedOutFrom(app.other.name));
    visit.notice = notices.signed_out_here;
    seeOther(ctx, '/');
  };
}

/** Whether this person has signed in since the visit began. */
function isNew(app: App, ctx: Context, { id_token }: Person): boolean {
  return app.visits.find(ctx)?.id_token !== id_token;
}

/** Under a new cookie, so that nobody who knew the one before sees what this person sees. */
function startVisit(
  app: App,
  ctx: Context,
  { access_token, claims, id_token }: Person,
  notice: string | null,
): void {
  app.visits.start(ctx, { access_token, id_token, state: 'signed_in', notice });
  app.report(`checked the ID token: ${String(claims.email ?? claims.sub)} is signed in here`);
}

function endElsewhere(visit: Visit): void {
  visit.state = 'ended';
  visit.notice = notices.signed_out_elsewhere;
}

/** Tells what the sign-in package does, and remembers how somebody signed out. */
function watchSignIn(app: App): Koa.Middleware {
  const { paths } = app.signIn;
  return async (ctx, next) => {
    const signsOut = ctx.path === paths.logout && (await app.signIn.session(ctx.req)) !== null;
    await next();
    if (ctx.status !== 303) return;
    const location = ctx.response.get('location');
    if (ctx.path === paths.login) {
      const silent = new URL(location).searchParams.get('prompt') === 'none';
      const asked = silent ? 'asks silently (prompt=none)' : 'sends the browser to sign in';
      app.report(`${asked}, with state, nonce and PKCE`);
    }
    const visit = app.visits.find(ctx);
    if (signsOut && visit?.state === 'signed_in') {
      const here = location.startsWith(`${app.url}/`);
      visit.state = here ? 'ended_here' : 'ended';
      app.report(
        here
          ? 'signs its person out here, and nowhere else'
          : 'sends the browser to sign out everywhere (id_token_hint)',
      );
    }
  };
}

/** Sessions in memory; tells when the server ends one (OpenID Connect Back-Channel Logout 1.0). */
function narratedSessions(report: (step: string) => void): SessionStore {
  const sessions = memorySessions({ max: 1000 });
  return {
    ...sessions,
    async removeBySid(iss, sid) {
      const ended = await sessions.removeBySid(iss, sid);
      if (ended > 0) report('is told that its person signed out elsewhere, and signs them out here');
      return ended;
    },
  };
}

function describe({ code, error }: SignInError): string {
  const what =
    code === 'cross_site' || code === 'logout_invalid'
      ? 'refuses a sign-out'
      : 'could not sign in its person';
  return `${what}: ${error ?? code}`;
}
