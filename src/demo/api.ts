/**
 * A JSON API that takes access tokens of Sallyport. It verifies them by the JWK Set alone: it has no database, and asks nobody
 * while it answers. Copy it to start your own. RFC 9068 §4; RFC 6750 §3.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose';
import Koa, { type Context } from 'koa';

export interface ApiOptions {
  /** Who must have issued a token: its `iss`. */
  readonly issuer: string;
  /** Whom a token must be for: its `aud`, the address this API is registered with as a resource. */
  readonly audience: string;
  /** Where the issuer's public keys are; its discovery document says so. */
  readonly jwks_uri: string;
  /** Is told each step, for the demo's terminal. */
  readonly report: (step: string) => void;
}

export function createApi(options: ApiOptions): Koa {
  // Fetched at the first token and kept for ten minutes; a token with a key that is not in it fetches it anew, at most twice a minute.
  const keys = createRemoteJWKSet(new URL(options.jwks_uri), {
    [customFetch]: (url, init) => {
      options.report('fetches the JWK Set, and keeps it');
      return fetch(url, init);
    },
  });

  const app = new Koa();
  app.use(async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];
    if (token === undefined) return refuse(ctx, 401);
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: options.issuer,
        audience: options.audience,
        typ: 'at+jwt', // an ID token is no access token
        algorithms: ['RS256'],
        requiredClaims: ['exp', 'sub', 'client_id'],
      });
      if (!scopesOf(payload).includes('api:read')) return refuse(ctx, 403, 'insufficient_scope');
      options.report(`verified the access token of ${String(payload.client_id)}, asking nobody`);
      ctx.body = answer(payload);
    } catch (error) {
      if (isKeySetFault(error)) return refuse(ctx, 503);
      options.report(`refuses an access token: ${error instanceof Error ? error.message : 'unknown'}`);
      refuse(ctx, 401, 'invalid_token');
    }
  });
  return app;
}

/** What the API is for. Yours would do something useful with `sub` here. */
function answer({ sub, client_id, scope, exp = 0 }: JWTPayload): object {
  return {
    message: 'Hello from the API. Your token was verified offline.',
    sub,
    client_id,
    scope,
    expires_at: new Date(exp * 1000).toISOString(),
  };
}

function scopesOf({ scope }: JWTPayload): readonly string[] {
  return typeof scope === 'string' ? scope.split(' ') : [];
}

/** Whether the keys could not be fetched, which says nothing about the token. */
function isKeySetFault(error: unknown): boolean {
  if (error instanceof errors.JOSEError)
    return error.code === 'ERR_JWKS_TIMEOUT' || error.code === 'ERR_JOSE_GENERIC';
  return true; // the network's own
}

/** RFC 6750 §3: the status, and what was wrong where a token was sent. */
function refuse(ctx: Context, status: 401 | 403 | 503, error?: 'invalid_token' | 'insufficient_scope'): void {
  ctx.status = status;
  if (status === 503) ctx.set('Retry-After', '5');
  else
    ctx.set('WWW-Authenticate', error === undefined ? 'Bearer' : `Bearer error="${error}", scope="api:read"`);
  ctx.body = { error: error ?? (status === 503 ? 'temporarily_unavailable' : 'no_token') };
}
