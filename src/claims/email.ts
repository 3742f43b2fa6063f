/** scope=email. OpenID Connect Core §5.4. */
import { type ClaimSet, present } from './claim_set.js';

export const email: ClaimSet = {
  scope: 'email',
  claims: ['email', 'email_verified'],
  consent: { title: 'claims.email_title', details: ['claims.email_detail'] },
  resolve: (user) => present({ email: user.email, email_verified: user.email_verified === 1 }),
};
