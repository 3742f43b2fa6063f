/** UserInfo, GET and POST /userinfo. OpenID Connect Core §5.3; RFC 6750. Asks the database each time, so a revocation is seen at once. */
import type { Context, Middleware } from 'koa';
import { claimsByName, claimsOfScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { readForm, readQuery } from '../http/read.js';
import { OAuthError } from '../oauth/errors.js';
import * as authorizations from '../store/authorizations.js';
import { readOwnAccessToken } from '../tokens/access_token.js';
import { isCurrent } from '../tokens/status.js';

export function userinfo(deps: Pick<Deps, 'clock' | 'config' | 'db' | 'keys'>): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const token = readOwnAccessToken(await deps.keys.get(), deps.config, await bearerToken(ctx), now);
    if (token === undefined) throw invalidToken();
    if (!token.scope.includes('openid'))
      throw new OAuthError('insufficient_scope', 'the access token lacks the scope openid');

    const user = await authorizations.findHolder(deps.db, token.authorization_id);
    if (user === undefined || user.id !== token.sub || !isCurrent(token.status, user)) throw invalidToken();

    const requested = Object.fromEntries(token.userinfo_claims.map((name) => [name, {}]));
    noStoreJson(ctx, {
      ...claimsOfScopes(user, token.scope),
      ...claimsByName(user, requested),
      sub: user.id,
    });
  };
}

function invalidToken(): OAuthError {
  return new OAuthError('invalid_token', 'the access token is not valid here, has expired or was revoked');
}

/** No credentials at all: the challenge says so by having no error (RFC 6750 §3.1). */
class NoToken extends Error {}

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

/** The token of an Authorization header; the scheme's name in any case (RFC 9110 §11.1). Other schemes count as none. */
function bearerHeader(authorization: string): string | undefined {
  if (!/^bearer(\s|$)/i.test(authorization)) return undefined;
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new OAuthError('invalid_request', 'the Authorization header holds no bearer token');
  return token;
}

/** Tells an error of this endpoint by its challenge (RFC 6750 §3). */
export const bearerChallenge: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    if (error instanceof NoToken) {
      ctx.set('WWW-Authenticate', 'Bearer realm="sallyport"');
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 401;
      ctx.body = '';
      return;
    }
    if (!(error instanceof OAuthError)) throw error;
    const scope = error.code === 'insufficient_scope' ? ', scope="openid"' : '';
    ctx.set(
      'WWW-Authenticate',
      `Bearer realm="sallyport", error="${error.code}", error_description="${error.description}"${scope}`,
    );
    noStoreJson(ctx, { error: error.code, error_description: error.description }, error.status);
  }
};
