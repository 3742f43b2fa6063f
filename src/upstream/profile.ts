/** What another provider says of a person, in our own claims, and as far as it can be one: everything else is as if it had not been said. */
import type { IdentityProviderRow } from '../store/identity_providers.js';

/** The claims that are taken over when an account is made. OpenID Connect Core §5.1. */
const textClaims = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'locale',
  'zoneinfo',
] as const;
const urlClaims = ['picture', 'profile', 'website'] as const;

/** What the operator may say of where it is found (`claim_names`). */
export const profileClaims = ['sub', 'email', 'email_verified', ...textClaims, ...urlClaims] as const;

export interface Profile {
  readonly email: string | null;
  /** Whether the provider says so: it counts where the operator trusts it for that, and nowhere else (hardening row 11). */
  readonly email_verified: boolean;
  readonly claims: Readonly<Record<string, string>>;
}

type Said = Readonly<Record<string, unknown>>;

/** What is found under the names that the operator gave, or under ours. */
export function namedClaims({ claim_names }: Pick<IdentityProviderRow, 'claim_names'>, said: Said): Said {
  const names = JSON.parse(claim_names) as Readonly<Record<string, string>>; // written by actions/identity_providers.ts
  return Object.fromEntries(profileClaims.map((claim) => [claim, said[names[claim] ?? claim]]));
}

/** A subject as text: some servers have numbers. Undefined for what names nobody. OpenID Connect Core §8: 255 characters at most. */
export function subjectOf(sub: unknown): string | undefined {
  const text = Number.isSafeInteger(sub) ? String(sub) : sub;
  return typeof text === 'string' && /^\P{Cc}{1,255}$/u.test(text) ? text : undefined;
}

/** `named`: claims under our own names. */
export function profileOf(named: Said): Profile {
  const email = emailOf(named.email);
  const texts = textClaims.flatMap((claim) => pair(claim, textOf(named[claim])));
  const urls = urlClaims.flatMap((claim) => pair(claim, urlOf(named[claim])));
  const email_verified = email !== null && isTrue(named.email_verified);
  return { email, email_verified, claims: Object.fromEntries([...texts, ...urls]) };
}

/** The person's own address out of a list of them, as GitHub gives it: the primary one. Nothing where there is none. */
export function primaryEmail(list: unknown): Said {
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const primary = entries.find(
    (one): one is Said => typeof one === 'object' && one !== null && 'primary' in one && one.primary === true,
  );
  return primary === undefined ? {} : { email: primary.email, email_verified: primary.verified };
}

function pair(claim: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[claim, value]];
}

/** Some providers write it as a text. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function emailOf(value: unknown): string | null {
  const known =
    typeof value === 'string' && value.length <= 320 && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(value);
  return known ? value.normalize('NFC') : null;
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return /^\P{Cc}{1,500}$/u.test(text) ? text : undefined;
}

function urlOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return undefined;
  return /^https?:$/.test(new URL(value).protocol) ? value : undefined;
}
