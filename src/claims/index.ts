/** Which claims a token or the userinfo answer holds: those of its scopes and those asked for one by one. OpenID Connect Core §5.4, §5.5. */
import type { ClaimRequest } from '../oauth/claims_request.js';
import type { UserRow } from '../store/users.js';
import type { ClaimSet, Claims } from './claim_set.js';
import * as registry from './registry.js';

export type { Claims } from './claim_set.js';
export { claimName } from './names.js';

export const claimSets: readonly ClaimSet[] = Object.values(registry);

/** The scope values of OpenID Connect that this server knows. */
export const openidScopes: readonly string[] = [
  'openid',
  ...claimSets.map((set) => set.scope),
  'offline_access',
];

/** Claims that every ID token can hold. */
const protocolClaims = ['sub', 'acr', 'auth_time'];

/** The names that the claims parameter may ask for, and that discovery lists. */
export const claimsSupported: ReadonlySet<string> = new Set([
  ...protocolClaims,
  ...claimSets.flatMap((set) => set.claims),
]);

/** The names that a client with this registered scope may ask for: the parameter is no way around the scope. */
export function claimsWithin(scopes: readonly string[]): ReadonlySet<string> {
  const sets = claimSets.filter((set) => scopes.includes(set.scope));
  return new Set([...protocolClaims, ...sets.flatMap((set) => set.claims)]);
}

/** The claims of these scopes that the user has. */
export function claimsOfScopes(user: UserRow, scopes: readonly string[]): Claims {
  return Object.assign(
    {},
    ...claimSets.filter((set) => scopes.includes(set.scope)).map((set) => set.resolve(user)),
  );
}

/** The claims asked for by name that the user has; `sub`, `acr` and `auth_time` are not among them. */
export function claimsByName(user: UserRow, requested: Readonly<Record<string, ClaimRequest>>): Claims {
  const names = Object.keys(requested);
  const sets = claimSets.filter((set) => set.claims.some((claim) => names.includes(claim)));
  const all: Claims = Object.assign({}, ...sets.map((set) => set.resolve(user)));
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}
