/** What each claim is called where a person is asked for it by itself (OpenID Connect Core §5.5). */
import type { Key } from '../languages/keys.js';
import type { Text, Words } from '../languages/translate.js';

const names: ReadonlyMap<string, Key> = new Map([
  ['name', 'claims.name'],
  ['family_name', 'claims.family_name'],
  ['given_name', 'claims.given_name'],
  ['middle_name', 'claims.middle_name'],
  ['nickname', 'claims.nickname'],
  ['preferred_username', 'claims.preferred_username'],
  ['profile', 'claims.profile'],
  ['picture', 'claims.picture'],
  ['website', 'claims.website'],
  ['gender', 'claims.gender'],
  ['birthdate', 'claims.birthdate'],
  ['zoneinfo', 'claims.zoneinfo'],
  ['locale', 'claims.locale'],
  ['updated_at', 'claims.updated_at'],
  ['email', 'claims.email'],
  ['email_verified', 'claims.email_verified'],
  ['phone_number', 'claims.phone_number'],
  ['phone_number_verified', 'claims.phone_number_verified'],
  ['address', 'claims.address'],
  ['roles', 'claims.roles'],
]);

/** A claim without a name of its own is told as its application writes it. */
export function claimName(claim: string): Text | Words {
  return names.get(claim) ?? { words: claim.replaceAll('_', ' ') };
}
