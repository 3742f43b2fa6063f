/** UserInfo, GET and POST /userinfo. OpenID Connect Core §5.3; RFC 6750. Asks the database each time, so a revocation is seen at once. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { noStoreJson, noStoreJwt } from '../http/answer.js';
import { bearerHeader, NoToken } from '../http/bearer.js';
import { readForm, readQuery } from '../http/read.js';
import { wantsSignedUserinfo } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import { clientJwt } from '../tokens/client_jwt.js';
import { loadUserinfo } from '../tokens/userinfo.js';

type UserinfoDeps = Pick<Deps, 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys'>;

export function userinfo(deps: UserinfoDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const access_token = await bearerToken(ctx);
    const ring = await deps.keys.get();
    const { client_id, claims } = await loadUserinfo({ ...deps, ring }, access_token, now);
    const client = await deps.caches.client(client_id);
    if (client === undefined || !wantsSignedUserinfo(client)) return noStoreJson(ctx, claims);
    const about = { ...claims, iss: deps.config.ISSUER, aud: client_id, iat: now };
    noStoreJwt(ctx, await clientJwt({ ...deps, ring }, client, 'userinfo', about, now), 'application/jwt');
  };
}

async function bearerToken(ctx: Context): Promise<string> {
  if (readQuery(ctx).has('access_token'))
    throw new OAuthError('invalid_request', 'access_token must not be in the query');
  const fromHeader = bearerHeader(ctx.get('authorization'));
  const fromBody =
    ctx.method === 'POST' && ctx.get('content-type') !== ''
      ? (await readForm(ctx)).get('access_token')
      : undefined;
  if (fromHeader !== undefined && fromBody !== undefined)
    throw new OAuthError('invalid_request', 'the access token is sent in two ways');
  const token = fromHeader ?? fromBody;
  if (token === undefined) throw new NoToken();
  return token;
}
