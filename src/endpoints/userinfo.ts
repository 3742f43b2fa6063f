/** UserInfo, GET and POST /userinfo. OpenID Connect Core §5.3; RFC 6750. Asks the database each time, so a revocation is seen at once. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { bearerHeader, NoToken } from '../http/bearer.js';
import { readForm, readQuery } from '../http/read.js';
import { OAuthError } from '../oauth/errors.js';
import { loadUserinfo } from '../tokens/userinfo.js';

export function userinfo(deps: Pick<Deps, 'clock' | 'config' | 'db' | 'keys'>): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const access_token = await bearerToken(ctx);
    const ring = await deps.keys.get();
    noStoreJson(ctx, (await loadUserinfo({ ...deps, ring }, access_token, now)).claims);
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
