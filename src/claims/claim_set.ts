/** What one scope gives: its claims, and where they come from. OpenID Connect Core §5.4. */
import type { Key } from '../languages/keys.js';
import type { UserRow } from '../store/users.js';

export type Claims = Readonly<
  Record<string, string | number | boolean | readonly string[] | Readonly<Record<string, string>>>
>;

export interface ClaimSet {
  /** The scope value that asks for it. */
  readonly scope: string;
  readonly claims: readonly string[];
  /** The words of the consent page: what an application will see. */
  readonly consent: { readonly title: Key; readonly details: readonly Key[] };
  /** The claims this user has. One without a value is left out, never null or empty (§5.3.2). */
  resolve(user: UserRow): Claims;
}

/** Keeps what has a value. */
export function present(
  values: Readonly<Record<string, string | number | boolean | null | undefined>>,
): Claims {
  const kept = Object.entries(values).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  return Object.fromEntries(kept) as Claims; // null and undefined were left out above
}
