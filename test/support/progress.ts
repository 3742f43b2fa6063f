/** How far an authorization request has come, in tests of what comes next. */
import { acrs } from '../../src/oauth/acr.js';
import type { ErrorCode } from '../../src/oauth/error_codes.js';
import { nextStep, type Progress, type Step } from '../../src/oauth/next_step.js';
import { refusalOf } from './refusal.js';

export const now = 1_000_000;
export const [one, two, phr] = acrs;
type Session = NonNullable<Progress['session']>;
type Consent = NonNullable<Progress['consent']>;

/** Signed in an hour before the request came. */
export const session: Session = {
  sub: 'ada',
  auth_time: now - 3600,
  auth_request: 'earlier',
  selected_at: now - 3600,
  selected_request: 'earlier',
  acr: one,
  deletes_at: null,
  reachable_acrs: [],
};
export const given: Consent = { granted_at: now - 1800, granted_request: 'earlier' };

/** A request that needs nothing more. */
export const ready: Progress = {
  request_id: 'this',
  arrived_at: now - 10,
  prompt: [],
  max_age: null,
  required_subs: null,
  required_acrs: null,
  wanted_acrs: [],
  sign_in: null,
  session,
  to_approve: [],
  consent: given,
  consent_each_time: false,
};

/** Signed in by a password, with an authenticator app at hand. */
export const able: Session = { ...session, reachable_acrs: [one, two] };
/** A sign-in that began before the request came. */
export const begun = { sub: 'ada', created_at: now - 60, auth_request: 'earlier', step: 'factor' } as const;

/** What comes next, or the code of the error for the client. */
export function outcome(changes: Partial<Progress>, at = now): Step | ErrorCode {
  const progress = { ...ready, ...changes };
  return refusalOf(() => nextStep(progress, at)) ?? nextStep(progress, at);
}

export const fresh: Session = {
  ...session,
  auth_time: now - 5,
  auth_request: 'this',
  selected_request: 'this',
};
