/** Access tokens that a request brings in its Authorization header, and the challenge where one is missing or wrong. RFC 6750. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import type { ErrorCode } from '../oauth/error_codes.js';
import { errorObject, OAuthError } from '../oauth/errors.js';
import { noStoreJson } from './answer.js';
import { asOAuthError } from './errors.js';

/** No credentials at all: the challenge says so by having no error (RFC 6750 §3.1). */
export class NoToken extends Error {}

/** The token of an Authorization header; the scheme's name in any case (RFC 9110 §11.1). Other schemes count as none. */
export function bearerHeader(authorization: string): string | undefined {
  if (!/^bearer(\s|$)/i.test(authorization)) return undefined;
  const token = parseBearer(authorization);
  if (token === undefined)
    throw new OAuthError('invalid_request', 'the Authorization header holds no bearer token');
  return token;
}

/** The token of an Authorization header that holds one, and nothing else (RFC 6750 §2.1). */
export function parseBearer(authorization: string): string | undefined {
  return /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1];
}

/** The errors that a challenge has words for (RFC 6750 §3.1). */
const codes: ReadonlySet<ErrorCode> = new Set(['invalid_request', 'invalid_token', 'insufficient_scope']);

/** Tells an error of a route that takes an access token by its challenge (RFC 6750 §3). Any other error goes on to jsonErrors. */
export function bearerErrors(deps: Pick<Deps, 'config' | 'log'>): Middleware {
  return async (ctx, next) => {
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
      if (!(error instanceof OAuthError) || !codes.has(error.code)) throw error;
      const told = errorObject(deps.config.ISSUER, asOAuthError(deps, ctx, error));
      const scope = error.code === 'insufficient_scope' ? { scope: 'openid' } : {};
      const members = Object.entries({ realm: 'sallyport', ...told, ...scope });
      ctx.set(
        'WWW-Authenticate',
        `Bearer ${members.map(([name, value]) => `${name}="${value}"`).join(', ')}`,
      );
      noStoreJson(ctx, told, error.status);
    }
  };
}
