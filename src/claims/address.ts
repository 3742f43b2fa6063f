/** scope=address. OpenID Connect Core §5.1.1. */
import type { ClaimSet } from './claim_set.js';

export const address: ClaimSet = {
  scope: 'address',
  claims: ['address'],
  consent: {
    title: 'claims.address_title',
    details: ['claims.address_detail'],
  },
  resolve: (user) =>
    user.address === null ? {} : { address: JSON.parse(user.address) as Record<string, string> }, // stored by actions/users
};
