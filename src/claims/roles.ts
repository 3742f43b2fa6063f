/** scope=roles: what the user may do, as an application's operator named it. RFC 9068 §2.2.3.1 (SCIM `roles`). */
import type { ClaimSet } from './claim_set.js';

export const roles: ClaimSet = {
  scope: 'roles',
  claims: ['roles'],
  consent: { title: 'claims.roles_title', details: ['claims.roles_detail'] },
  resolve: (user) => (user.roles === '' ? {} : { roles: user.roles.split(' ') }),
};
