/** scope=phone. OpenID Connect Core §5.4. */
import { type ClaimSet, present } from './claim_set.js';

export const phone: ClaimSet = {
  scope: 'phone',
  claims: ['phone_number', 'phone_number_verified'],
  consent: { title: 'claims.phone_title', details: ['claims.phone_detail'] },
  resolve: (user) =>
    user.phone_number === null
      ? {}
      : present({ phone_number: user.phone_number, phone_number_verified: user.phone_number_verified === 1 }),
};
