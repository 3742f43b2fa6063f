/**
 * The table of contents: every route in order, each line with its guards. Machines first, since they ask most often.
 */
import Router, { type RouterContext } from '@koa/router';
import Koa, { type Middleware } from 'koa';
import compose from 'koa-compose';
import { login } from './api/login.js';
import { loginFactor } from './api/login_factor.js';
import { logout } from './api/logout.js';
import { me } from './api/me.js';
import { refresh } from './api/refresh_token.js';
import type { Deps } from './deps.js';
import { asset } from './endpoints/assets.js';
import { authorize, resumeAuthorization } from './endpoints/authorize.js';
import { checkSession } from './endpoints/check_session.js';
import {
  readRegistration,
  registration,
  removeRegistration,
  replaceRegistration,
} from './endpoints/client_registration.js';
import { discovery } from './endpoints/discovery.js';
import { endSession, resumeLogout } from './endpoints/end_session.js';
import { healthz, readyz } from './endpoints/health.js';
import { introspection } from './endpoints/introspection.js';
import { jwks } from './endpoints/jwks.js';
import { logo } from './endpoints/logo.js';
import { productLogo } from './endpoints/product_logo.js';
import { pushedAuthorizationRequest } from './endpoints/pushed_authorization_request.js';
import { revocation } from './endpoints/revocation.js';
import { revocationEvents } from './endpoints/revocation_events.js';
import { statusList, statusListAggregation } from './endpoints/status_lists.js';
import { stylesheet } from './endpoints/stylesheet.js';
import { token } from './endpoints/token.js';
import { upstreamLogout } from './endpoints/upstream_logout.js';
import { userinfo } from './endpoints/userinfo.js';
import { webfinger } from './endpoints/webfinger.js';
import { bearerErrors } from './http/bearer.js';
import { branded } from './http/brand.js';
import { anyOriginCors, clientCors, publicCors } from './http/cors.js';
import { jsonErrors, pageErrors } from './http/errors.js';
import { lastResort, readableTarget, requestLog } from './http/guards.js';
import { pageHeaders, transportHeaders } from './http/headers.js';
import { localOnly } from './http/local.js';
import { methodNotAllowed, notFound } from './http/no_route.js';
import { assertViews } from './http/views.js';
import { postApplications, showApplications } from './pages/account/applications.js';
import { postAuthenticator, showAuthenticator } from './pages/account/authenticator.js';
import { downloadData, showData } from './pages/account/data.js';
import { goodbye, postDelete, showDelete } from './pages/account/delete.js';
import { postEmail, showEmail } from './pages/account/email.js';
import { showEvents } from './pages/account/events.js';
import { postKeep, showKeep } from './pages/account/keep.js';
import { postNewCodes, showNewCodes } from './pages/account/new_codes.js';
import { postNewPasskey, showNewPasskey } from './pages/account/new_passkey.js';
import { showOverview } from './pages/account/overview.js';
import { postPasskey, showPasskey } from './pages/account/passkey.js';
import { showPasskeys } from './pages/account/passkeys.js';
import { postPassword, showPassword } from './pages/account/password.js';
import { postProfile, showProfile } from './pages/account/profile.js';
import { postProviders, showProviders } from './pages/account/providers.js';
import { postRemoveFactor, showRemoveFactor } from './pages/account/remove_factor.js';
import { postSecurity, showSecurity } from './pages/account/security.js';
import { postSessions, showSessions } from './pages/account/sessions.js';
import { brandingPreview } from './pages/branding_preview.js';
import { checkMail } from './pages/check_mail.js';
import { postAccountChooser, showAccountChooser } from './pages/choose_account.js';
import { postClaim, showClaim } from './pages/claim.js';
import { postConfirm, showConfirm } from './pages/confirm.js';
import { postConsent, showConsent } from './pages/consent.js';
import { accountCreated, postCreateAccount, showCreateAccount } from './pages/create_account.js';
import { devMail, devMessage } from './pages/dev_mail.js';
import { emailConfirmed, postEmailLink, showEmailLink } from './pages/email_link.js';
import { postEnrol, showEnrol } from './pages/enrol.js';
import { errors } from './pages/errors.js';
import { postFactor, showFactor } from './pages/factor.js';
import { postForgotPassword, showForgotPassword } from './pages/forgot_password.js';
import { home } from './pages/home.js';
import { chooseLanguage } from './pages/language.js';
import { postLogin, showLogin } from './pages/login.js';
import { postLogout, showLogout, signedOut } from './pages/logout.js';
import { postRegisterAccount, showRegisterAccount } from './pages/register_account.js';
import { postResetPassword, showResetPassword } from './pages/reset_password.js';
import { upstreamCallback } from './pages/upstream_callback.js';
import { postConnect, showConnect } from './pages/upstream_connect.js';
import { upstreamSignedOut, upstreamSignOutPage } from './pages/upstream_sign_out.js';

type Guard = (ctx: RouterContext, next: () => Promise<void>) => unknown;

/** One line of the table: the methods, the path, the guards and the handler. */
export interface Route {
  readonly methods: readonly string[];
  readonly path: string;
  readonly handlers: readonly (Middleware | Guard)[];
}

const routeOf =
  (method: string) =>
  (path: string, ...handlers: Route['handlers']): Route => ({ methods: [method], path, handlers });

const get = routeOf('GET');
const post = routeOf('POST');
const preflight = routeOf('OPTIONS');

/** Every route of this server. Each POST of a page checks its form's token itself (http/csrf.ts). */
export function routes(deps: Deps): readonly Route[] {
  const json = jsonErrors(deps);
  const bearerChallenge = bearerErrors(deps.config);
  const page = [pageHeaders, branded(deps), pageErrors(deps)];
  const tokenCors = clientCors(deps.caches, { methods: 'POST', credentials: true });
  const revokeCors = clientCors(deps.caches, { methods: 'POST', credentials: false });
  const userinfoCors = clientCors(deps.caches, { methods: 'GET, POST', credentials: false });
  const ownOrigins = { origins: deps.caches.signInOrigins };
  const usersCors = clientCors(ownOrigins, { methods: 'POST', credentials: true });
  const meCors = clientCors(ownOrigins, { methods: 'GET', credentials: true });
  const metadata = discovery(deps);
  const { base } = deps.config;

  return [
    post('/token', tokenCors, json, token(deps)),
    preflight('/token', tokenCors),
    get('/userinfo', userinfoCors, json, bearerChallenge, userinfo(deps)),
    post('/userinfo', userinfoCors, json, bearerChallenge, userinfo(deps)),
    preflight('/userinfo', userinfoCors),
    post('/par', json, pushedAuthorizationRequest(deps)),
    post('/introspect', json, introspection(deps)),
    post('/revoke', revokeCors, json, revocation(deps)),
    preflight('/revoke', revokeCors),
    get('/revocations', json, bearerChallenge, revocationEvents(deps)),
    get('/status-lists', publicCors, json, statusListAggregation(deps)),
    preflight('/status-lists', publicCors),
    get('/status-lists/:id', publicCors, json, statusList(deps)),
    preflight('/status-lists/:id', publicCors),
    get('/jwks', publicCors, json, jwks(deps)),
    preflight('/jwks', publicCors),
    // Behind the issuer's path (Discovery §4), or the path behind the well-known part (RFC 8414 §3.1): all of them answer.
    ...['openid-configuration', 'oauth-authorization-server'].flatMap((name) =>
      [...new Set(['', base])].flatMap((path) => [
        get(`/.well-known/${name}${path}`, publicCors, json, metadata),
        preflight(`/.well-known/${name}${path}`, publicCors),
      ]),
    ),

    get('/.well-known/webfinger', publicCors, json, webfinger(deps)),
    preflight('/.well-known/webfinger', publicCors),
    ...registrationRoutes(deps),

    // For the operator's own applications (decisions 29). Each checks client, Origin and Sec-Fetch-Site itself (api/caller.ts).
    post('/users/login', usersCors, json, login(deps)),
    preflight('/users/login', usersCors),
    post('/users/login/factor', usersCors, json, loginFactor(deps)),
    preflight('/users/login/factor', usersCors),
    post('/users/refresh-token', usersCors, json, refresh(deps)),
    preflight('/users/refresh-token', usersCors),
    post('/users/logout', usersCors, json, logout(deps)),
    preflight('/users/logout', usersCors),
    get('/users/me', meCors, json, bearerChallenge, me(deps)),
    preflight('/users/me', meCors),

    get('/authorize', ...page, authorize(deps)),
    post('/authorize', ...page, authorize(deps)),
    get('/authorize/resume', ...page, resumeAuthorization(deps)),
    get('/login', ...page, showLogin(deps)),
    post('/login', ...page, postLogin(deps)),
    get('/factor', ...page, showFactor(deps)),
    post('/factor', ...page, postFactor(deps)),
    get('/enrol', ...page, showEnrol(deps)),
    post('/enrol', ...page, postEnrol(deps)),
    get('/consent', ...page, showConsent(deps)),
    post('/consent', ...page, postConsent(deps)),
    get('/choose-account', ...page, showAccountChooser(deps)),
    post('/choose-account', ...page, postAccountChooser(deps)),

    get('/confirm', ...page, showConfirm(deps)),
    post('/confirm', ...page, postConfirm(deps)),

    get('/logout', ...page, endSession(deps)),
    post('/logout', ...page, endSession(deps)),
    get('/logout/resume', ...page, resumeLogout(deps)),
    get('/logout/confirm', ...page, showLogout(deps)),
    post('/logout/confirm', ...page, postLogout(deps)),
    get('/signed-out', ...page, signedOut(deps)),
    // Its cookie is for https alone (Session Management §3.2).
    ...(deps.config.loopback ? [] : [get('/check-session', checkSession(deps))]),

    get('/', ...page, home(deps)),
    ...upstreamRoutes(deps),
    ...accountRoutes(deps),
    get('/errors', ...page, errors(deps.config)),
    get('/language', ...page, chooseLanguage(deps)),
    get('/branding/preview', ...page, brandingPreview(deps)),
    get('/claim', ...page, showClaim(deps)),
    post('/claim', ...page, postClaim(deps)),
    get('/register-account', ...page, showRegisterAccount(deps)),
    post('/register-account', ...page, postRegisterAccount(deps)),
    get('/create-account', ...page, showCreateAccount(deps)),
    post('/create-account', ...page, postCreateAccount(deps)),
    get('/account-created', ...page, accountCreated(deps)),
    get('/forgot-password', ...page, showForgotPassword(deps)),
    post('/forgot-password', ...page, postForgotPassword(deps)),
    get('/check-mail', ...page, checkMail(deps)),
    get('/email-link', ...page, showEmailLink(deps)),
    post('/email-link', ...page, postEmailLink(deps)),
    get('/email-confirmed', ...page, emailConfirmed(deps)),
    get('/reset-password', ...page, showResetPassword(deps)),
    post('/reset-password', ...page, postResetPassword(deps)),
    ...(deps.config.mail === 'page'
      ? [
          get('/dev/mail', ...page, localOnly(deps), devMail(deps)),
          get('/dev/mail/:id', ...page, localOnly(deps), devMessage(deps)),
        ]
      : []),

    get('/assets/:name', asset),
    get('/style.css', json, stylesheet),
    get('/logo', json, productLogo(deps)),
    get('/logos/:client_id', json, logo(deps)),
    get('/healthz', healthz),
    get('/readyz', readyz(deps)),
  ];
}

/** Signing in with another provider, and out. Its answers come by GET; its logout tokens from server to server. */
function upstreamRoutes(deps: Deps): readonly Route[] {
  const page = [pageHeaders, pageErrors(deps)];
  return [
    get('/upstream/:id/callback', ...page, upstreamCallback(deps)),
    get('/upstream/connect', ...page, showConnect(deps)),
    post('/upstream/connect', ...page, postConnect(deps)),
    get('/upstream/:id/sign-out', ...page, upstreamSignOutPage(deps)),
    get('/upstream/:id/signed-out', ...page, upstreamSignedOut(deps)),
    post('/upstream/:id/backchannel-logout', jsonErrors(deps), upstreamLogout(deps)),
  ];
}

/** One's own account. Each goes through forPerson (http/account.ts): without a session it leads to the login page. */
function accountRoutes(deps: Deps): readonly Route[] {
  const page = [pageHeaders, branded(deps), pageErrors(deps)];
  return [
    get('/account', ...page, showOverview(deps)),
    get('/account/profile', ...page, showProfile(deps)),
    post('/account/profile', ...page, postProfile(deps)),
    get('/account/email', ...page, showEmail(deps)),
    post('/account/email', ...page, postEmail(deps)),
    get('/account/password', ...page, showPassword(deps)),
    post('/account/password', ...page, postPassword(deps)),
    get('/account/passkeys', ...page, showPasskeys(deps)),
    get('/account/passkeys/add', ...page, showNewPasskey(deps)),
    post('/account/passkeys/add', ...page, postNewPasskey(deps)),
    get('/account/passkeys/edit', ...page, showPasskey(deps)),
    post('/account/passkeys/edit', ...page, postPasskey(deps)),
    get('/account/providers', ...page, showProviders(deps)),
    post('/account/providers', ...page, postProviders(deps)),
    get('/account/security', ...page, showSecurity(deps)),
    post('/account/security', ...page, postSecurity(deps)),
    get('/account/security/app', ...page, showAuthenticator(deps)),
    post('/account/security/app', ...page, postAuthenticator(deps)),
    get('/account/security/remove', ...page, showRemoveFactor(deps)),
    post('/account/security/remove', ...page, postRemoveFactor(deps)),
    get('/account/security/codes', ...page, showNewCodes(deps)),
    post('/account/security/codes', ...page, postNewCodes(deps)),
    get('/account/sessions', ...page, showSessions(deps)),
    post('/account/sessions', ...page, postSessions(deps)),
    get('/account/applications', ...page, showApplications(deps)),
    post('/account/applications', ...page, postApplications(deps)),
    get('/account/events', ...page, showEvents(deps)),
    get('/account/data', ...page, showData(deps)),
    get('/account/data/download', ...page, downloadData(deps)),
    get('/account/delete', ...page, showDelete(deps)),
    post('/account/delete', ...page, postDelete(deps)),
    get('/account/keep', ...page, showKeep(deps)),
    post('/account/keep', ...page, postKeep(deps)),
    get('/goodbye', ...page, goodbye(deps.config)),
  ];
}

/** Dynamic registration. Scripts of any origin may use it where anybody may (HTTP-15). */
function registrationRoutes(deps: Deps): readonly Route[] {
  const own = '/register/:client_id';
  const open = deps.config.CLIENT_REGISTRATION === 'open';
  const registerCors = anyOriginCors({ methods: 'POST' });
  const manageCors = anyOriginCors({ methods: 'GET, PUT, DELETE' });
  const json = [jsonErrors(deps), bearerErrors(deps.config)];
  const guarded = (cors: Middleware) => (open ? [cors, ...json] : json);
  return [
    post('/register', ...guarded(registerCors), registration(deps)),
    get(own, ...guarded(manageCors), readRegistration(deps)),
    { methods: ['PUT'], path: own, handlers: [...guarded(manageCors), replaceRegistration(deps)] },
    { methods: ['DELETE'], path: own, handlers: [...guarded(manageCors), removeRegistration(deps)] },
    ...(open ? [preflight('/register', registerCors), preflight(own, manageCors)] : []),
  ];
}

/** The koa application. Listening, jobs and shutting down are the caller's. Throws ConfigError for views that cannot be used. */
export function createApp(deps: Deps): Koa {
  assertViews(deps.config.VIEWS_DIR);
  const app = new Koa();
  const router = new Router();
  const table = routes(deps);
  for (const { methods, path, handlers } of table) {
    for (const at of new Set(mountPoints(deps.config.base, path)))
      router.register(at, [...methods], [...handlers] as Middleware[]);
  }
  const log = requestLog(deps);
  app.use(lastResort(deps)).use(readableTarget);
  if (log !== null) app.use(log);
  app.use(transportHeaders(deps.config));
  app.use(fixedRoutes(table, deps.config.base));
  app.use(router.routes());
  app.use(methodNotAllowed((path) => router.match(path, 'GET').path.flatMap((layer) => layer.methods)));
  app.use(pageHeaders).use(branded(deps)).use(notFound(deps));
  app.on('error', (err: Error) => deps.log.debug({ err }, 'an answer could not be sent'));
  return app;
}

/**
 * Routes without parameters, found by one look: they are nearly every request, and trying the patterns of all routes for each of them
 * costs as much as many of their handlers. Any other spelling of a path is the router's to judge.
 */
function fixedRoutes(table: readonly Route[], base: string): Middleware {
  const handlers = new Map<string, Middleware>();
  for (const route of table.filter(({ path }) => !path.includes(':'))) {
    const handler = compose(route.handlers as Middleware[]);
    const methods = route.methods.includes('GET') ? [...route.methods, 'HEAD'] : route.methods;
    for (const path of mountPoints(base, route.path))
      for (const method of methods) handlers.set(`${method} ${path}`, handler);
  }
  return (ctx, next) => {
    const handler = handlers.get(`${ctx.method} ${ctx.path}`);
    return handler === undefined ? next() : handler(ctx, next);
  };
}

/** Under the issuer's path; well-known documents are also at the root of the host (RFC 8414 §3.1). */
function mountPoints(base: string, path: string): readonly string[] {
  return path.startsWith('/.well-known/') ? [base + path, path] : [base + path];
}
