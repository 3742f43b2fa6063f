/**
 * Signing in by an application of the operator's own, which takes the password itself (the first-party sign-in API): which client may,
 * from where, and for what. Decisions 25 and 29.
 */
import type { ClientMetadata } from './client_metadata.js';
import { isPublic, usesSignInApi } from './client_rules.js';
import type { ErrorCode } from './error_codes.js';
import { OAuthError } from './errors.js';
import { nextStep, type Progress, type Step } from './next_step.js';
import type { Params } from './params.js';
import { parseScope, scopeWords } from './scope.js';

/** How the tokens travel: in cookies that no script can read, or in the body. */
export type Mode = 'cookie' | 'bearer';

/** Throws `unauthorized_client`, saying what of its registration is missing. */
export function assertUsesSignInApi(client: ClientMetadata): void {
  if (usesSignInApi(client)) return;
  const missing = !client.first_party
    ? 'first_party is not set'
    : isPublic(client)
      ? 'it has no allowed_origins'
      : 'its token_endpoint_auth_method is not none';
  throw new OAuthError('unauthorized_client', `this client may not sign people in itself: ${missing}`);
}

/** The mode that is asked for; without one, a browser's page gets cookies. Throws `invalid_request` for any other. */
export function readMode(params: Params, origin: string): Mode {
  const mode = params.get('mode') ?? (origin === '' ? 'bearer' : 'cookie');
  if (mode !== 'cookie' && mode !== 'bearer')
    throw new OAuthError('invalid_request', 'mode must be cookie or bearer');
  return mode;
}

export interface Sender {
  readonly method: string;
  /** The header Origin; '' where there is none. */
  readonly origin: string;
  /** The header Sec-Fetch-Site; '' where there is none. */
  readonly site: string;
}

/**
 * The defence against CSRF. What changes something by a cookie must come from an origin of the client, and say so; whatever comes from
 * a page of another origin is refused in either mode. Throws `access_denied`. Fetch §3.2; Fetch Metadata §2.3.
 */
export function assertOwnPage(
  { allowed_origins }: Pick<ClientMetadata, 'allowed_origins'>,
  { method, origin, site }: Sender,
  mode: Mode,
): void {
  if (origin !== '' && !allowed_origins.includes(origin))
    throw new OAuthError('access_denied', 'Origin is none of the allowed_origins of this client');
  if (origin === '' && mode === 'cookie' && method === 'POST')
    throw new OAuthError('access_denied', 'cookie mode is for the pages of a browser, and Origin is missing');
  if (site === 'cross-site' && (origin === '' || mode === 'cookie'))
    throw new OAuthError('access_denied', 'the page is of another site, where these cookies do not go');
}

/**
 * The scope asked for; without one, all that is registered for the client. Throws `invalid_scope` for more than that, and for
 * offline_access: here everything ends with the session, so that a sign-out leaves nothing behind.
 */
export function directScope(client: Pick<ClientMetadata, 'scope'>, asked: string | undefined) {
  const registered = scopeWords(client.scope).filter((word) => word !== 'offline_access');
  const words = parseScope(asked);
  if (words.includes('offline_access'))
    throw new OAuthError('invalid_scope', 'offline_access needs the authorization endpoint');
  const beyond = words.find((word) => !registered.includes(word));
  if (beyond !== undefined)
    throw new OAuthError('invalid_scope', `scope ${beyond} is not allowed to this client`);
  return words.length > 0 ? words : registered;
}

/** What is told where a step is missing that this API has no form for. A step that is added to nextStep must be added here. */
const missing: Readonly<Record<Exclude<Step, 'respond'>, ErrorCode>> = {
  login: 'login_required',
  register: 'login_required',
  keep_account: 'interaction_required',
  factor: 'mfa_required',
  enrol: 'interaction_required',
  select_account: 'account_selection_required',
  consent: 'consent_required',
};

/** Throws where a password is not enough: the same nextStep as that of the pages decides, so this is no way around it. */
export function assertNothingMissing(progress: Progress, now: number): void {
  const step = nextStep(progress, now);
  if (step === 'respond') return;
  const description = 'the password is not enough; sign in by the authorization endpoint';
  throw new OAuthError(missing[step], description, { status: 401 });
}
