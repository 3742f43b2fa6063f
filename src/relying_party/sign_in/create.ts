/** The handlers of one application put together: a Request in, a Response out, whatever the framework. */
import { callback } from './callback.js';
import type { HasHeaders } from './cookies.js';
import { SignInError } from './errors.js';
import { withHeader } from './http.js';
import { login } from './login.js';
import { logout } from './logout.js';
import { errorPage } from './page.js';
import { createProvider } from './provider.js';
import { backchannelLogout, frontchannelLogout } from './provider_logout.js';
import { createRefresher } from './refresh.js';
import { findSession, type Person, personOf } from './session.js';
import { readSettings, type Settings, type SignInOptions, type SignInPaths } from './settings.js';
import { silentCheckDue } from './silent_check.js';
import { stepUpPath } from './step_up.js';

/** A SignInError never leaves a handler: it becomes its page. What a session store throws does. */
export type Handler = (request: Request) => Promise<Response>;

export interface SignIn {
  /** The app's origin, and the paths that `handle` answers. */
  readonly origin: string;
  readonly paths: SignInPaths;
  readonly login: Handler;
  readonly callback: Handler;
  readonly logout: Handler;
  readonly backchannelLogout: Handler;
  readonly frontchannelLogout: Handler;
  /** Answers a request to one of the paths; null for any other, which is the app's. */
  handle(request: Request): Promise<Response | null>;
  /** Who is signed in, with an access token that is still good where one can be had; null where nobody is. */
  session(request: HasHeaders): Promise<Person | null>;
  /**
   * For a request without a session: whether it is worth sending this browser to `/login?silent=1`. Not in the five minutes after such
   * a check signed nobody in.
   */
  silentCheckDue(request: HasHeaders): boolean;
  /**
   * Where to send the browser when an API answered 401 with this WWW-Authenticate header and asks for a stronger or younger sign-in (RFC
   * 9470): a path of this app, which leads back to `return_to`. Null where the challenge asks for something else.
   */
  stepUpPath(challenge: string | null, return_to: string): string | null;
}

/** Throws TypeError where an option is wrong. The provider is not asked for anything before the first request needs it. */
export function createSignIn(options: SignInOptions): SignIn {
  const settings = readSettings(options);
  const provider = createProvider(settings);
  const refresh = createRefresher(settings, provider);
  const { paths } = settings;
  const handlers = {
    login: shown(settings, (request) => login(settings, provider, request)),
    callback: shown(settings, (request) =>
      callback(settings, provider, request, (error) => show(settings, error, request)),
    ),
    logout: shown(settings, (request) => logout(settings, provider, request)),
    backchannelLogout: shown(settings, (request) => backchannelLogout(settings, provider, request)),
    frontchannelLogout: shown(settings, (request) => frontchannelLogout(settings, provider, request)),
  };
  const byPath = new Map<string, Handler>([
    [paths.login, handlers.login],
    [paths.callback, handlers.callback],
    [paths.logout, handlers.logout],
    [paths.backchannel_logout, handlers.backchannelLogout],
    [paths.frontchannel_logout, handlers.frontchannelLogout],
  ]);

  return {
    origin: settings.origin,
    paths,
    ...handlers,
    async handle(request) {
      return (await byPath.get(new URL(request.url).pathname)?.(request)) ?? null;
    },
    async session(request) {
      const found = await findSession(settings, request);
      const current = found && (await refresh(found));
      return current && personOf(current, settings.clock());
    },
    silentCheckDue: (request) => silentCheckDue(settings, request),
    stepUpPath: (challenge, return_to) => stepUpPath(settings, challenge, return_to),
  };
}

function shown(settings: Settings, handler: Handler): Handler {
  return (request) =>
    handler(request).catch((error: unknown) => {
      if (error instanceof SignInError) return show(settings, error, request);
      throw error;
    });
}

async function show(settings: Settings, error: SignInError, request: Request): Promise<Response> {
  settings.onError(error);
  const response = (await settings.showError?.(error, request)) ?? errorPage(error, settings.paths);
  return error.allow === undefined ? response : withHeader(response, 'allow', error.allow); // RFC 9110 §15.5.6
}
