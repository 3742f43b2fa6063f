/** The pages on which people look after their account. */
import type { Deps } from '../deps.js';
import { postApplications, showApplications } from '../pages/account/applications.js';
import { postAuthenticator, showAuthenticator } from '../pages/account/authenticator.js';
import { downloadData, showData } from '../pages/account/data.js';
import { goodbye, postDelete, showDelete } from '../pages/account/delete.js';
import { postEmail, showEmail } from '../pages/account/email.js';
import { showEvents } from '../pages/account/events.js';
import { postKeep, showKeep } from '../pages/account/keep.js';
import { postNewCodes, showNewCodes } from '../pages/account/new_codes.js';
import { postNewPasskey, showNewPasskey } from '../pages/account/new_passkey.js';
import { showOverview } from '../pages/account/overview.js';
import { postPasskey, showPasskey } from '../pages/account/passkey.js';
import { showPasskeys } from '../pages/account/passkeys.js';
import { postPassword, showPassword } from '../pages/account/password.js';
import { postProfile, showProfile } from '../pages/account/profile.js';
import { postProviders, showProviders } from '../pages/account/providers.js';
import { postRemoveFactor, showRemoveFactor } from '../pages/account/remove_factor.js';
import { postSecurity, showSecurity } from '../pages/account/security.js';
import { postSessions, showSessions } from '../pages/account/sessions.js';
import { get, pageGuards, post, type Route } from './route.js';

/** One's own account. Each goes through forPerson (http/account.ts): without a session it leads to the login page. */
export function accountRoutes(deps: Deps): readonly Route[] {
  const page = pageGuards(deps);
  return [
    get('/account', ...page, showOverview(deps)),
    get('/account/profile', ...page, showProfile(deps)),
    post('/account/profile', ...page, postProfile(deps)),
    get('/account/email', ...page, showEmail(deps)),
    post('/account/email', ...page, postEmail(deps)),
    get('/account/password', ...page, showPassword(deps)),
    post('/account/password', ...page, postPassword(deps)),
    get('/account/passkeys', ...page, showPasskeys(deps)),
    get('/account/passkeys/add', ...page, showNewPasskey(deps)),
    post('/account/passkeys/add', ...page, postNewPasskey(deps)),
    get('/account/passkeys/edit', ...page, showPasskey(deps)),
    post('/account/passkeys/edit', ...page, postPasskey(deps)),
    get('/account/providers', ...page, showProviders(deps)),
    post('/account/providers', ...page, postProviders(deps)),
    get('/account/security', ...page, showSecurity(deps)),
    post('/account/security', ...page, postSecurity(deps)),
    get('/account/security/app', ...page, showAuthenticator(deps)),
    post('/account/security/app', ...page, postAuthenticator(deps)),
    get('/account/security/remove', ...page, showRemoveFactor(deps)),
    post('/account/security/remove', ...page, postRemoveFactor(deps)),
    get('/account/security/codes', ...page, showNewCodes(deps)),
    post('/account/security/codes', ...page, postNewCodes(deps)),
    get('/account/sessions', ...page, showSessions(deps)),
    post('/account/sessions', ...page, postSessions(deps)),
    get('/account/applications', ...page, showApplications(deps)),
    post('/account/applications', ...page, postApplications(deps)),
    get('/account/events', ...page, showEvents(deps)),
    get('/account/data', ...page, showData(deps)),
    get('/account/data/download', ...page, downloadData(deps)),
    get('/account/delete', ...page, showDelete(deps)),
    post('/account/delete', ...page, postDelete(deps)),
    get('/account/keep', ...page, showKeep(deps)),
    post('/account/keep', ...page, postKeep(deps)),
    get('/goodbye', ...page, goodbye(deps.config)),
  ];
}
