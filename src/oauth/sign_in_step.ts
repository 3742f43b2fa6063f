/** What a sign-in still needs before there may be a session. Pure, and the only place that decides it. Hardening row 13. */

/** Whether a second factor is asked of a person: never, where they have one, or always. */
type FactorPolicy = 'off' | 'optional' | 'required';

export interface SignInFacts {
  /** What was proved. RFC 8176. */
  readonly amr: readonly string[];
  readonly policy: FactorPolicy;
  /** Whether the person has a second factor. */
  readonly has_factor: boolean;
  /** Whether this browser is spared the second factor of this person. */
  readonly remembered: boolean;
}

export type SignInStep = 'factor' | 'enrol' | 'session';

/** `factor`: a second proof is owed; `enrol`: a second factor has to be set up first; `session`: nothing is missing. */
export function signInStep({ amr, policy, has_factor, remembered }: SignInFacts): SignInStep {
  if (policy === 'off' || amr.includes('mfa')) return 'session';
  if (has_factor) return remembered ? 'session' : 'factor';
  return policy === 'required' ? 'enrol' : 'session';
}
