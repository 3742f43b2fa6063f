/** What a sign-in still needs before there may be a session. Pure, and the only place that decides it. Hardening row 13. */
import type { Config } from '../config.js';
import { hasTwoFactors } from './acr.js';

/** Whether a second factor is asked of a person: never, where they have one, or always. */
export type FactorPolicy = 'off' | 'optional' | 'required';

export type PolicyConfig = Pick<Config, 'SECOND_FACTOR' | 'SECOND_FACTOR_ROLES'>;

/**
 * What the settings demand of a person with these roles (words separated by spaces): one of those named demands a second factor whatever
 * holds for everybody else.
 */
export function policyOf(
  { SECOND_FACTOR: everybody, SECOND_FACTOR_ROLES: named }: PolicyConfig,
  roles: string,
): FactorPolicy {
  return roles.split(' ').some((role) => named.includes(role)) ? 'required' : everybody;
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
  if (policy === 'off' || hasTwoFactors(amr)) return 'session';
  if (has_factor) return remembered ? 'session' : 'factor';
  return policy === 'required' ? 'enrol' : 'session';
}
