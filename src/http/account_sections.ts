/** The sections of the account pages, in the order of their navigation. One line each; the page is a route of its own in app.ts. */
import type { Key } from '../languages/keys.js';

export interface Section {
  /** Under the issuer's path. */
  readonly path: `/account${string}`;
  readonly title: Key;
  /** A sentence on the first page. */
  readonly about?: Key;
}

export const sections: readonly Section[] = [
  { path: '/account', title: 'account.overview' },
  { path: '/account/profile', title: 'account.profile', about: 'account.profile_about' },
  { path: '/account/email', title: 'email.title', about: 'email.in_short' },
  { path: '/account/password', title: 'account.password' },
  { path: '/account/passkeys', title: 'passkeys.title', about: 'passkeys.in_short' },
  { path: '/account/security', title: 'factor.security', about: 'factor.security_intro' },
  { path: '/account/providers', title: 'upstream.section', about: 'upstream.section_none' },
  { path: '/account/sessions', title: 'account.sessions' },
  { path: '/account/applications', title: 'account.applications', about: 'account.applications_about' },
  { path: '/account/events', title: 'account.events', about: 'account.events_about' },
  { path: '/account/data', title: 'account.data', about: 'account.data_about' },
];
