/** GET /login: sends the browser to the provider. OpenID Connect Core §3.1.2.1; PKCE, RFC 7636 §4.3. */
import * as oidc from 'openid-client';
import { SignInError } from './errors.js';
import { assertMethod, queryOf, seeOther, single } from './http.js';
import { startSignIn } from './pending.js';
import type { Provider } from './provider.js';
import { localPath } from './return_to.js';
import { findSession } from './session.js';
import type { Settings } from './settings.js';
import { readStronger } from './step_up.js';

/**
 * `?return_to=` a path of this app, anything else is home; `?prompt=`; `?silent=1` asks, without a page, whether somebody is signed
 * in there (prompt=none); `?acr_values=` and `?max_age=` as an API asked for them (RFC 9470 §4). Throws SignInError `request_invalid`, `provider_unreachable`.
 */
export async function login(settings: Settings, provider: Provider, request: Request): Promise<Response> {
  assertMethod(request, 'GET');
  const query = queryOf(request);
  const prompt = readPrompt(query);
  const stronger = readStronger(request);
  const session = await findSession(settings, request);
  const pending = {
    return_to: localPath(single(query, 'return_to'), settings.origin) ?? settings.home,
    silent: prompt === 'none',
    started_at: settings.clock(),
    replaces: session?.stored.digest ?? null,
  };
  const { configuration } = await provider();
  const { cookies, state, nonce, code_verifier } = startSignIn(request, settings, pending);
  const { redirect_uri, scope, resource, response_mode } = settings;
  const url = oidc.buildAuthorizationUrl(configuration, {
    ...{ redirect_uri, scope, state, nonce },
    code_challenge: await oidc.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: 'S256',
    ...(resource !== undefined && { resource }),
    ...(response_mode === 'form_post' && { response_mode }),
    ...(prompt !== null && { prompt }),
    ...stronger,
  });
  return seeOther(url.href, cookies);
}

function readPrompt(query: URLSearchParams): string | null {
  if (single(query, 'silent') === '1') return 'none';
  const prompt = single(query, 'prompt');
  if (prompt === null || /^(none|((login|consent|select_account|create)( (?!$)|$))+)$/.test(prompt))
    return prompt;
  throw new SignInError('request_invalid', 'The parameter prompt is none of OpenID Connect.');
}
