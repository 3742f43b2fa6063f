/** The provider says that somebody signed out: on the back channel, from server to server, or on the front channel, in a frame. */
import { SignInError } from './errors.js';
import { assertMethod, queryOf, readForm, single, withCookies } from './http.js';
import { invalid, readLogoutToken, tolerance_seconds } from './logout_token.js';
import { framedPage } from './page.js';
import type { Provider } from './provider.js';
import { digest } from './secrets.js';
import { endSessionCookie, findSession } from './session.js';
import type { Settings } from './settings.js';

/**
 * POST /backchannel-logout with `logout_token`: 200 when the sessions it names have ended, also when there were none; else 400 with
 * the reason as JSON. OpenID Connect Back-Channel Logout §2.5–§2.8. Where the token could not be checked, since the provider's keys cannot
 * be had, 503: a provider that tries again will find us better, and one that took 400 for an answer would not.
 */
export async function backchannelLogout(
  settings: Settings,
  provider: Provider,
  request: Request,
): Promise<Response> {
  try {
    assertMethod(request, 'POST');
    const token = single(await readForm(request), 'logout_token');
    if (token === null) throw invalid('logout_token is missing');
    const { iss, jti, exp, end } = await readLogoutToken(settings, await provider(), token);
    // One session ends before the token is used up: where the store fails in between, the provider's next try finds it so. That would not do
    // for a person, who may have signed in again since.
    if ('sid' in end) await settings.sessions.removeBySid(iss, end.sid);
    const once = digest(`logout_token ${iss} ${jti}`);
    if (!(await settings.sessions.claim(once, exp + tolerance_seconds, settings.clock()))) {
      throw invalid('logout_token was used before');
    }
    if ('sub' in end) await settings.sessions.removeBySub(iss, end.sub);
    return new Response(null, { status: 200, headers: no_store });
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    settings.onError(error);
    return refusal(error);
  }
}

const no_store = { 'cache-control': 'no-store' };

function refusal({ code, status, message }: SignInError): Response {
  const error = code === 'provider_unreachable' ? 'temporarily_unavailable' : 'invalid_request';
  const headers = {
    ...no_store,
    'content-type': 'application/json',
    ...(status === 405 && { allow: 'POST' }),
  };
  return new Response(JSON.stringify({ error, error_description: message }), { status, headers });
}

/**
 * GET /frontchannel-logout?iss=&sid=: ends the session here that hangs on that session of the provider, and no other. Framed by
 * the provider's page, the request seldom carries our cookie: `sid` finds it. OpenID Connect Front-Channel Logout §2.
 */
export async function frontchannelLogout(
  settings: Settings,
  provider: Provider,
  request: Request,
): Promise<Response> {
  assertMethod(request, 'GET');
  const query = queryOf(request);
  const [iss, sid] = [single(query, 'iss'), single(query, 'sid')];
  const { issuer } = await provider();
  if (iss === null || sid === null || sid === '') throw invalid('iss and sid must both be there');
  if (iss !== issuer) throw invalid('iss is not the provider of this application');
  const session = await findSession(settings, request);
  await settings.sessions.removeBySid(iss, sid);
  const own = session?.stored.sid === sid;
  return withCookies(framedPage(issuer), own ? [endSessionCookie(settings)] : []);
}
