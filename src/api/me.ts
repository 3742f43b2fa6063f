/** GET /users/me: who is signed in, as userinfo says it, by an access token in the Authorization header or in the cookie. RFC 6750. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { bearerHeader, NoToken } from '../http/bearer.js';
import { accessCookie } from '../http/token_cookies.js';
import { assertUsesSignInApi } from '../oauth/direct_sign_in.js';
import { OAuthError } from '../oauth/errors.js';
import { loadUserinfo } from '../tokens/userinfo.js';
import { assertFrom } from './caller.js';

export function me(deps: Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const inHeader = bearerHeader(ctx.get('authorization'));
    const access_token = inHeader ?? accessCookie(ctx, deps.config);
    if (access_token === undefined) throw new NoToken();
    const ring = await deps.keys.get();
    const { client_id, claims } = await loadUserinfo({ ...deps, ring }, access_token, now);
    const client = await deps.caches.client(client_id);
    if (client === undefined) throw new OAuthError('invalid_token', 'the client of the token is gone');
    assertUsesSignInApi(client);
    assertFrom(ctx, client, inHeader === undefined ? 'cookie' : 'bearer');
    noStoreJson(ctx, claims);
  };
}
