/** What a sign-in still needs before there may be a session. Pure, and the only place that decides it. Hardening row 13. */

/** Whether a second factor is asked of a person: never, where they have one, or always. */
export type FactorPolicy = 'off' | 'optional' | 'required';

/** What the settings demand of a person: one of the roles named demands a second factor whatever holds for everybody else. */
export function policyFor(
  everybody: FactorPolicy,
  of_roles: readonly string[],
  roles: readonly string[],
): FactorPolicy {
  return roles.some((role) => role !== '' && of_roles.includes(role)) ? 'required' : everybody;
}

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
