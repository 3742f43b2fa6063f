/** scope=address. OpenID Connect Core §5.1.1. */
import type { ClaimSet } from './claim_set.js';

export const address: ClaimSet = {
  scope: 'address',
  claims: ['address'],
  consent: {
    title: 'Your postal address',
    details: ['Street, town, region, postal code and country, where you gave them'],
  },
  resolve: (user) =>
    user.address === null ? {} : { address: JSON.parse(user.address) as Record<string, string> }, // stored by actions/users
};
