/**
 * Standard claims of one line of text, which a setting can open to the people they describe. OpenID Connect Core §5.1. Never a flag
 * that something was verified (hardening row 11), and not email: a change of address is proved first.
 */
export const profileClaims = [
  'name',
  'given_name',
  'middle_name',
  'family_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'phone_number',
] as const;

export type ProfileClaim = (typeof profileClaims)[number];

export function isProfileClaim(name: string): name is ProfileClaim {
  return (profileClaims as readonly string[]).includes(name);
}
