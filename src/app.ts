/**
 * The table of contents: every route in order, each line with its guards; three groups of them are in routes/. Machines first, since they
 * ask most often.
 */
import Router from '@koa/router';
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
import { userinfo } from './endpoints/userinfo.js';
import { webfinger } from './endpoints/webfinger.js';
import { bearerErrors } from './http/bearer.js';
import { branded } from './http/brand.js';
import { clientCors, publicCors } from './http/cors.js';
import { jsonErrors } from './http/errors.js';
import { lastResort, readableTarget, requestLog } from './http/guards.js';
import { pageHeaders, transportHeaders } from './http/headers.js';
import { localOnly } from './http/local.js';
import { methodNotAllowed, notFound } from './http/no_route.js';
import { assertViews } from './http/views.js';
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
import { accountRoutes } from './routes/account.js';
import { registrationRoutes } from './routes/client_registration.js';
import { get, pageGuards, post, preflight, type Route } from './routes/route.js';
import { upstreamRoutes } from './routes/upstream.js';

/** Every route of this server. Each POST of a page checks its form's token itself (http/csrf.ts). */
export function routes(deps: Deps): readonly Route[] {
  const json = jsonErrors(deps);
  const bearerChallenge = bearerErrors(deps);
  const page = pageGuards(deps);
  const tokenCors = clientCors(deps.caches, { methods: 'POST', credentials: true });
  const revokeCors = clientCors(deps.caches, { methods: 'POST', credentials: false });
  const userinfoCors = clientCors(deps.caches, { methods: 'GET, POST', credentials: false });
  const ownOrigins = { origins: deps.caches.signInOrigins };
  const usersCors = clientCors(ownOrigins, { methods: 'POST', credentials: true });
  const meCors = clientCors(ownOrigins, { methods: 'GET', credentials: true });
  const metadata = discovery(deps);

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
    ...metadataPaths.flatMap((path) => [get(path, publicCors, json, metadata), preflight(path, publicCors)]),
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

const metadataPaths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

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

/**
 * Where a route is: under the issuer's path. Its description is there (Discovery §4), and has the path behind it at the root of the
 * host (RFC 8414 §3.1); anywhere else it would be another issuer's. Other well-known documents are the host's (RFC 8615 §3).
 */
function mountPoints(base: string, path: string): readonly string[] {
  if (metadataPaths.includes(path)) return [...new Set([base + path, path + base])];
  if (path.startsWith('/.well-known/')) return [path];
  return path === '/' && base !== '' ? [base, `${base}/`] : [base + path];
}
