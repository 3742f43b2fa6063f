/** What a user's roles allow at a resource server, and what of it stands in the access token. RFC 9068 §2.2.3.1 (`roles`). */
import type { RoleRules } from '../store/caches.js';

export interface Permitted {
  /** The scope without the words that the user's roles do not allow. */
  readonly scope: readonly string[];
  /** The claims that a resource server of the audience asked for. */
  readonly claims: { readonly roles?: readonly string[]; readonly permissions?: readonly string[] };
}

/** Applies the rules of the resource servers a token is for. Where no role is needed for a word, everybody has it. */
export function permit(
  rules: readonly RoleRules[],
  scope: readonly string[],
  roles: readonly string[],
): Permitted {
  const holds = (holders: readonly string[]) => holders.some((role) => roles.includes(role));
  const all = rules.flatMap(({ permissions }) => Object.entries(permissions));
  const held = all.filter(([, holders]) => holds(holders)).map(([permission]) => permission);
  const restricted = new Set(all.map(([permission]) => permission));
  const wanted = new Set(rules.flatMap(({ token_claims }) => token_claims));
  return {
    scope: scope.filter((word) => !restricted.has(word) || held.includes(word)),
    claims: {
      ...(wanted.has('roles') && roles.length > 0 && { roles }),
      ...(wanted.has('permissions') && held.length > 0 && { permissions: [...new Set(held)].sort() }),
    },
  };
}
