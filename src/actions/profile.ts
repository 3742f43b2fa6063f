/**
 * A person changes the claims of their profile that the setting PROFILE_EDITABLE opens to them, by the rules that an operator's input
 * meets too. Applications see the change with the next token or userinfo answer. Hardening rows 11 and 28.
 */
import type { Deps } from '../deps.js';
import type { Key } from '../languages/keys.js';
import { isLanguageTag } from '../languages/tags.js';
import { UserError } from '../oauth/errors.js';
import { type ProfileClaim, profileClaims } from '../oauth/profile_claims.js';
import * as events from '../store/events.js';
import * as profiles from '../store/profiles.js';
import * as users from '../store/users.js';
import { claimRules } from './users.js';

type Typed = Readonly<Partial<Record<ProfileClaim, string>>>;

/**
 * Puts what was typed in place of what was there; an empty text takes a claim away. Claims that are not editable, or not in `typed`, stay as they
 * are. A new phone number is not verified. Gives the claims that changed. Throws UserError `invalid_input` naming the field.
 */
export async function changeProfile(
  deps: Pick<Deps, 'config' | 'db'>,
  { user_id, typed }: { readonly user_id: string; readonly typed: Typed },
  visit: events.Visit,
  now: number,
): Promise<readonly ProfileClaim[]> {
  const wanted = deps.config.PROFILE_EDITABLE.flatMap((claim) => {
    const text = typed[claim];
    return text === undefined ? [] : [[claim, checked(claim, text)] as const];
  });
  return deps.db.transaction(async (trx) => {
    const user = await users.hold(trx, user_id);
    if (user === undefined) throw new UserError('not_found', 'account.no_session'); // removed at this very moment
    const changes = wanted.filter(([claim, value]) => user[claim] !== value);
    if (changes.length === 0) return [];
    const changed = changes.map(([claim]) => claim);
    const profile: profiles.Profile = { ...user, ...Object.fromEntries(changes) };
    const phone_number_verified = changed.includes('phone_number') ? 0 : user.phone_number_verified;
    await profiles.update(trx, { ...profile, id: user_id, phone_number_verified, updated_at: now });
    const event = { type: 'profile_changed', user_id, detail: changed.join(' '), visit } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
    return changed;
  });
}

/** The claims of a user, in the order of the form; '' where there is none. */
export function profileOf(user: profiles.Profile, claims: readonly ProfileClaim[]) {
  return profileClaims
    .filter((claim) => claims.includes(claim))
    .map((claim) => ({ claim, value: user[claim] ?? '' }));
}

const faults: Readonly<Partial<Record<ProfileClaim, Key>>> = {
  profile: 'account.wrong_url',
  picture: 'account.wrong_url',
  website: 'account.wrong_url',
  birthdate: 'account.wrong_birthdate',
  zoneinfo: 'account.wrong_zoneinfo',
  locale: 'account.wrong_locale',
};

function checked(claim: ProfileClaim, text: string): string | null {
  const plain = text.trim();
  if (plain === '') return null;
  const parsed = claimRules[claim].safeParse(plain);
  const sound = parsed.success && parsed.data !== undefined && isKnown(claim, parsed.data);
  if (!sound) throw new UserError('invalid_input', faults[claim] ?? 'account.wrong_text', claim);
  return parsed.data ?? null;
}

/** Names of zones and languages that nobody knows would be of no use to an application. */
function isKnown(claim: ProfileClaim, text: string): boolean {
  if (claim === 'locale') return isLanguageTag(text);
  return claim !== 'zoneinfo' || isTimeZone(text);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false; // ECMA-402 says so by throwing
  }
}
