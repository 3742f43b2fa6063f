/** Signs what a grant yielded and puts the token response together. RFC 6749 §5.1; OpenID Connect Core §3.1.3.3. */
import type { Config } from '../config.js';
import { OAuthError } from '../oauth/errors.js';
import { scopeWords } from '../oauth/scope.js';
import type { Caches, RoleRules } from '../store/caches.js';
import type { Client } from '../store/clients.js';
import type { Db } from '../store/db.js';
import * as users from '../store/users.js';
import { type AccessTokenRequest, signAccessToken } from './access_token.js';
import type { ClientJwtDeps } from './client_jwt.js';
import type { Granted } from './granted.js';
import { signIdToken } from './id_token.js';
import { permit } from './permissions.js';
import { accessTokenForm } from './token_rules.js';

/** Only a token that travels through the browser is bound to what travels with it. */
function ofCodeFlow(client: Client) {
  return { code: null, state: null, scope_claims: client.id_token_claims === 'scope' };
}

export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
  /** Absent where it is empty, which no scope may be (RFC 6749 §3.3). */
  readonly scope?: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
}

export async function issueTokens(
  deps: ClientJwtDeps & { readonly db: Db; readonly caches: Caches; readonly config: Config },
  client: Client,
  granted: Granted,
  now: number,
): Promise<TokenResponse> {
  const { config, ring } = deps;
  const openid = granted.user?.scope.includes('openid') === true;
  const { user, scope, role_claims } = await permitted(deps, granted);
  const form = await accessTokenForm(deps.caches, config, granted.audience);

  const access_token = await signAccessToken(
    ring,
    config,
    { client, granted: { ...granted, scope }, user, role_claims, form },
    now,
  );
  const id_token =
    openid && user && granted.user
      ? await signIdToken(
          deps,
          { ...ofCodeFlow(client), client, granted: granted.user, user, access_token },
          now,
        )
      : undefined;
  return {
    access_token,
    token_type: 'Bearer',
    expires_in: form.lifetime,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(granted.refresh_token !== null && { refresh_token: granted.refresh_token }),
    ...(id_token !== undefined && { id_token }),
  };
}

/** The user whose claims the tokens hold, and what their roles leave of the scope at the resource servers. */
export async function permitted(
  { caches, db }: { readonly db: Db; readonly caches: Caches },
  granted: Granted,
): Promise<Pick<AccessTokenRequest, 'role_claims' | 'user'> & Pick<Granted, 'scope'>> {
  const rules = await rulesFor(caches, granted);
  const user = await loadUser(db, granted, rules.length > 0);
  if (user === undefined || rules.length === 0) return { user, scope: granted.scope, role_claims: {} };
  const { scope, claims: role_claims } = permit(rules, granted.scope, scopeWords(user.roles));
  return { user, scope, role_claims };
}

/** The rules of the resource servers that a user's token is for; a client's own token knows no roles. */
async function rulesFor(caches: Caches, { user, audience }: Granted): Promise<readonly RoleRules[]> {
  if (user === null) return [];
  const rules = await caches.roleRules();
  return audience.flatMap((identifier) => rules.get(identifier) ?? []);
}

/** The user whose claims the tokens hold; undefined where none of them does. */
async function loadUser(
  db: Db,
  { user: granted }: Granted,
  by_role: boolean,
): Promise<users.UserRow | undefined> {
  if (granted === null) return undefined;
  if (!by_role && !granted.scope.includes('openid') && !granted.scope.includes('roles')) return undefined;
  const user = await users.load(db, granted.user_id);
  if (user === undefined) throw new OAuthError('invalid_grant', 'the user does not exist any more');
  return user;
}
