/**
 * /logout: GET asks, POST signs out, here and then, by a redirect, at the provider. OpenID Connect RP-Initiated Logout §2. The
 * session here ends first: whatever happens to the provider, the person is signed out of this app.
 */
import * as oidc from 'openid-client';
import { SignInError } from './errors.js';
import { assertMethod, readForm, seeOther, single } from './http.js';
import { confirmPage } from './page.js';
import { asSignInError, type Provider } from './provider.js';
import { endSessionCookie, findSession, type Session } from './session.js';
import type { Settings } from './settings.js';

/** With the form field `here=1` the session at the provider stays. Throws SignInError `cross_site` for another site's form. */
export async function logout(settings: Settings, provider: Provider, request: Request): Promise<Response> {
  assertMethod(request, 'GET', 'POST');
  const session = await findSession(settings, request);
  if (request.method === 'GET') {
    return session === null ? seeOther(afterwards(settings)) : confirmPage(settings.paths);
  }
  assertOwnForm(settings, request);
  const here = single(await readForm(request), 'here') === '1';
  if (session !== null) await settings.sessions.remove(session.stored.digest);
  const location =
    here || session === null ? afterwards(settings) : await endSessionUrl(settings, provider, session);
  return seeOther(location, [endSessionCookie(settings)]);
}

function afterwards(settings: Settings): string {
  return settings.post_logout_redirect_uri ?? settings.origin + settings.home;
}

/** The id_token_hint says whose session it is, so that nobody is asked. */
async function endSessionUrl(settings: Settings, provider: Provider, { content }: Session): Promise<string> {
  const { post_logout_redirect_uri } = settings;
  try {
    const { configuration, ends_sessions } = await provider();
    if (!ends_sessions) return afterwards(settings);
    const parameters = {
      id_token_hint: content.id_token,
      ...(post_logout_redirect_uri !== undefined && { post_logout_redirect_uri }),
    };
    return oidc.buildEndSessionUrl(configuration, parameters).href;
  } catch (error) {
    settings.onError(asSignInError(error)); // signed out here; the provider is out of reach
    return afterwards(settings);
  }
}

/** The browser says where a form comes from: by Fetch Metadata, or else by Origin. What says neither is no browser of today. */
function assertOwnForm({ origin }: Settings, { headers }: Request): void {
  const site = headers.get('sec-fetch-site');
  const own = site === null ? headers.get('origin') === origin : site === 'same-origin' || site === 'none';
  if (!own)
    throw new SignInError('cross_site', 'This sign-out was not asked for on a page of this application.');
}
