/**
 * GET or POST /callback: the browser is back with a code, or with an error. OpenID Connect Core §3.1.2.5–§3.1.3.7; form_post; the
 * issuer in the answer, RFC 9207. Each answer works once, so that a reload does not redeem a code twice, which would end its tokens.
 */
import * as oidc from 'openid-client';
import { SignInError } from './errors.js';
import { assertMethod, queryOf, readForm, seeOther, single, withCookies } from './http.js';
import { endPending, openSignIn, type Pending, type PendingSecrets, pending_seconds } from './pending.js';
import { asSignInError, type Provider } from './provider.js';
import { digest } from './secrets.js';
import { contentOf, endSessionCookie, findSession, startSession } from './session.js';
import type { Settings } from './settings.js';
import { checkedCookie } from './silent_check.js';

type OpenedSignIn = Pending & PendingSecrets;

interface Answer {
  readonly request: Request;
  /** With redirect_uri before it: what the library reads. */
  readonly url: URL;
}

/** `showError` is called here, not thrown to: the cookie of this sign-in ends with whatever is answered. */
export async function callback(
  settings: Settings,
  provider: Provider,
  request: Request,
  showError: (error: SignInError) => Promise<Response>,
): Promise<Response> {
  assertMethod(request, 'GET', 'POST');
  const url = new URL(settings.redirect_uri);
  url.search = (request.method === 'POST' ? await readForm(request) : queryOf(request)).toString();
  const state = single(url.searchParams, 'state') ?? '';
  const opened = openSignIn(request, settings, state);
  if (opened === undefined) return unknownAnswer(settings, request, url);
  const done = await complete(settings, provider, { request, url }, opened).catch((error: unknown) => {
    if (!(error instanceof SignInError)) throw error;
    const { code, message, error: told, cause } = error;
    return showError(new SignInError(code, message, { error: told, cause, return_to: opened.return_to }));
  });
  return withCookies(done, [endPending(settings, state)]);
}

/** An answer that this browser did not ask for, or asked for long ago. Who is signed in, with Back or a reload, is led on. */
async function unknownAnswer(settings: Settings, request: Request, url: URL): Promise<Response> {
  // Lax cookies do not come with another site's form: once more as a GET. Without https there are no others, so that the answer
  // itself has to come along.
  if (request.method === 'POST') return seeOther(settings.secure ? settings.redirect_uri : url.href);
  if ((await findSession(settings, request)) !== null) return seeOther(settings.origin + settings.home);
  throw new SignInError(
    'sign_in_unknown',
    'This sign-in was not begun in this browser, or it took too long, or cookies are blocked. Please try again.',
  );
}

async function complete(
  settings: Settings,
  provider: Provider,
  { request, url }: Answer,
  opened: OpenedSignIn,
): Promise<Response> {
  const now = settings.clock();
  const ends_at = opened.started_at + pending_seconds;
  if (ends_at <= now)
    throw new SignInError('sign_in_expired', 'This sign-in took too long. Please try again.');
  const destination = settings.origin + opened.return_to;
  if (!(await settings.sessions.claim(digest(opened.state), ends_at, now))) {
    if ((await findSession(settings, request)) !== null) return seeOther(destination);
    throw new SignInError('sign_in_used', 'This sign-in was completed already. Please sign in again.');
  }
  const before = (await findSession(settings, request))?.stored.digest ?? opened.replaces;
  try {
    const cookie = await redeem(settings, provider, url, opened);
    if (before !== null) await settings.sessions.remove(before);
    return seeOther(destination, [cookie]);
  } catch (error) {
    if (!(error instanceof SignInError && opened.silent && error.code === 'provider_refused')) throw error;
    return silentRefusal(settings, error, { before, asked_for: opened.replaces, destination });
  }
}

/** Redeems the code and begins the session. The library checks state, issuer, signature, audience, times and nonce. */
async function redeem(
  settings: Settings,
  provider: Provider,
  url: URL,
  { state, nonce, code_verifier }: OpenedSignIn,
): Promise<string> {
  const { configuration, issuer } = await provider();
  const { resource } = settings;
  const checks = {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: code_verifier,
    idTokenExpected: true,
  };
  const more = resource === undefined ? {} : { resource };
  const tokens = await oidc
    .authorizationCodeGrant(configuration, url, checks, more)
    .catch((error: unknown) => {
      throw asSignInError(error);
    });
  const claims = tokens.claims();
  if (claims === undefined) throw asSignInError(new Error('there is no ID token'));
  return startSession(settings, issuer, contentOf(tokens, claims, settings));
}

interface SilentCheck {
  /** The session that there is. */
  readonly before: string | null;
  /** The session that there was when the check began: another one may have begun since, in another tab. */
  readonly asked_for: string | null;
  readonly destination: string;
}

/** Nobody is signed in there, so nobody is here; any other reason, such as a question to ask first, changes nothing. */
async function silentRefusal(
  settings: Settings,
  error: SignInError,
  { before, asked_for, destination }: SilentCheck,
): Promise<Response> {
  const checked = checkedCookie(settings);
  if (error.error !== 'login_required') settings.onError(error);
  if (error.error !== 'login_required' || before !== asked_for) return seeOther(destination, [checked]);
  if (before !== null) await settings.sessions.remove(before);
  return seeOther(destination, [endSessionCookie(settings), checked]);
}
