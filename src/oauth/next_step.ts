/** What an authorization request needs next. The only place that decides it. OpenID Connect Core §3.1.2.1–3.1.2.6. */
import { metBy } from './acr.js';
import { OAuthError } from './errors.js';
import type { Prompt } from './prompt.js';
import type { SignInStep } from './sign_in_step.js';

export interface Progress {
  readonly request_id: string;
  /** When the request arrived, in whole seconds. What was done later than this, or for this very request, was done for it. */
  readonly arrived_at: number;
  readonly prompt: readonly Prompt[];
  readonly max_age: number | null;
  /** The only user it may succeed for (id_token_hint, claims.sub); null where any will do. */
  readonly required_subs: readonly string[] | null;
  /** Where acr is essential: what it may be. */
  readonly required_acrs: readonly string[] | null;
  /** What it should be, where the person is able to: acr_values. */
  readonly wanted_acrs: readonly string[];
  /** A sign-in that somebody began in this browser and has not completed. */
  readonly sign_in: {
    readonly sub: string;
    readonly created_at: number;
    readonly auth_request: string | null;
    readonly step: Exclude<SignInStep, 'session'>;
  } | null;
  readonly session: {
    readonly sub: string;
    readonly auth_time: number;
    readonly auth_request: string | null;
    readonly selected_at: number;
    readonly selected_request: string | null;
    readonly acr: string;
    /** When the account is to be deleted, as its owner asked: until they keep it, nobody gets anything of it. */
    readonly deletes_at: number | null;
    /** The acr values that the person can reach by one more proof. */
    readonly reachable_acrs: readonly string[];
  } | null;
  /** What the user has not agreed to yet. */
  readonly to_approve: readonly string[];
  readonly consent: { readonly granted_at: number; readonly granted_request: string | null } | null;
  /** True where another program could claim the redirect URI: consent is then asked each time (RFC 8252 §8.6). */
  readonly consent_each_time: boolean;
}

export type Step =
  | 'login'
  | 'register'
  | 'factor'
  | 'enrol'
  | 'keep_account'
  | 'select_account'
  | 'consent'
  | 'respond';

/** Throws the error for the client where a page would be needed that prompt=none forbids, or where no page could help. */
export function nextStep(p: Progress, now: number): Step {
  const asked = (prompt: Prompt) => p.prompt.includes(prompt);
  const forThis = (at: number, request: string | null) => at > p.arrived_at || request === p.request_id;
  const { session } = p;

  if (session === null) return signIn();
  const signedInNow = forThis(session.auth_time, session.auth_request);

  if (p.required_subs !== null && !p.required_subs.includes(session.sub)) {
    if (signedInNow) throw new OAuthError('login_required', 'another user signed in than the one asked for');
    return signIn();
  }
  const stale = p.max_age !== null && (p.max_age === 0 || now - session.auth_time > p.max_age);
  if (!signedInNow && (asked('login') || asked('create') || stale)) return signIn();

  const met = metBy(session.acr);
  const fits = (acrs: readonly string[], among: readonly string[]) => acrs.some((acr) => among.includes(acr));
  if (p.required_acrs !== null && !fits(p.required_acrs, met)) {
    if (fits(p.required_acrs, session.reachable_acrs)) return unlessSilent('factor', 'interaction_required');
    throw new OAuthError(
      'unmet_authentication_requirements',
      'no acr that was asked for as essential can be reached',
    );
  }
  // Voluntary: what cannot be reached, or not without a page, is left be (§5.5.1.1).
  const stronger = p.wanted_acrs.length > 0 && !fits(p.wanted_acrs, met);
  if (stronger && fits(p.wanted_acrs, session.reachable_acrs) && !asked('none')) return 'factor';

  if (asked('select_account') && !signedInNow && !forThis(session.selected_at, session.selected_request)) {
    return unlessSilent('select_account', 'account_selection_required');
  }
  if (session.deletes_at !== null) return unlessSilent('keep_account', 'interaction_required');
  const consentedNow = p.consent !== null && forThis(p.consent.granted_at, p.consent.granted_request);
  if (p.to_approve.length > 0 || (!consentedNow && (asked('consent') || p.consent_each_time))) {
    return unlessSilent('consent', 'consent_required');
  }
  return 'respond';

  /** The login page, or where a sign-in that was begun goes on: it must be of somebody, and of a time, that will do. */
  function signIn(): Step {
    const anew = asked('login') || asked('create') || asked('select_account') || p.max_age !== null;
    const { sign_in } = p;
    const fitting =
      sign_in !== null &&
      (p.required_subs === null || p.required_subs.includes(sign_in.sub)) &&
      (!anew || forThis(sign_in.created_at, sign_in.auth_request));
    const first = asked('create') ? 'register' : 'login'; // whoever has an account finds the way to the login page there
    return unlessSilent(fitting ? sign_in.step : first, 'login_required');
  }

  function unlessSilent(
    step: Step,
    code: 'login_required' | 'interaction_required' | 'account_selection_required' | 'consent_required',
  ): Step {
    if (asked('none')) throw new OAuthError(code, 'prompt none forbids the page that this request needs');
    return step;
  }
}
