/** scope=phone. OpenID Connect Core §5.4. */
import { type ClaimSet, present } from './claim_set.js';

export const phone: ClaimSet = {
  scope: 'phone',
  claims: ['phone_number', 'phone_number_verified'],
  consent: { title: 'Your phone number', details: ['The number, and whether it has been verified'] },
  resolve: (user) =>
    user.phone_number === null
      ? {}
      : present({ phone_number: user.phone_number, phone_number_verified: user.phone_number_verified === 1 }),
};
