/** The tokens of an authorization response itself (implicit and hybrid flows). OpenID Connect Core §3.2.2.5, §3.3.2.5; RFC 6749 §4.2.2. */
import type { Config } from '../config.js';
import { profileOf } from '../oauth/profiles.js';
import type { ResponseType } from '../oauth/response_types.js';
import type { Caches } from '../store/caches.js';
import type { Client } from '../store/clients.js';
import type { Db } from '../store/db.js';
import { signAccessToken } from './access_token.js';
import type { ClientJwtDeps } from './client_jwt.js';
import type { Granted } from './granted.js';
import { signIdToken } from './id_token.js';
import { permitted } from './issue.js';
import { accessTokenForm } from './token_rules.js';

export interface ResponseTokens {
  readonly type: ResponseType;
  readonly granted: Granted;
  /** The code that goes out beside them, if one does. */
  readonly code: string | null;
  readonly state: string | null;
}

/** Signs the tokens of a response type, each bound by its hash to the ID token. There is never a refresh token among them. */
export async function issueResponseTokens(
  deps: ClientJwtDeps & { readonly db: Db; readonly caches: Caches; readonly config: Config },
  client: Client,
  { type, granted, code, state }: ResponseTokens,
  now: number,
): Promise<Readonly<Record<string, string>>> {
  const { config, ring } = deps;
  const { user, scope, role_claims } = await permitted(deps, granted);
  const form = await accessTokenForm(deps.caches, config, granted.audience);
  const access_token = type.token
    ? await signAccessToken(
        ring,
        config,
        { client, granted: { ...granted, scope }, user, role_claims, form },
        now,
      )
    : null;
  const beside = {
    ...{ access_token, code },
    state: profileOf(client).id_token_has_s_hash ? state : null,
    // Anybody who reads the address reads the token: claims stay out of it where userinfo can tell them (Core §5.4).
    scope_claims: !type.code && !type.token,
  };
  const id_token =
    type.id_token && user && granted.user
      ? await signIdToken(deps, { client, granted: granted.user, user, ...beside }, now)
      : null;
  return {
    ...(access_token !== null && {
      access_token,
      token_type: 'Bearer',
      expires_in: String(form.lifetime),
      ...(scope.length > 0 && { scope: scope.join(' ') }),
    }),
    ...(id_token !== null && { id_token }),
  };
}
