/**
 * A JSON API that takes access tokens of Sallyport. It verifies them by the JWK Set alone and asks nobody while it answers, yet
 * refuses one that was revoked a moment ago: Sallyport tells it. Copy it to start your own. RFC 9068 §4; RFC 6750 §3.
 */
import Koa, { type Context } from 'koa';
import {
  type Credentials,
  createVerifier,
  requireToken,
  TokenError,
  type VerifiedToken,
} from '../relying_party/index.js';

export interface ApiOptions {
  /** Who must have issued a token: its `iss`. */
  readonly issuer: string;
  /** Whom a token must be for: its `aud`, the address this API is registered with as a resource. */
  readonly audience: string;
  /** The client that acts for this API: with it the API listens for revocations. Without it revocations come by the status list. */
  readonly credentials?: Credentials;
  /** Is told each step, for the demo's terminal. */
  readonly report: (step: string) => void;
}

export interface Api {
  readonly app: Koa;
  /** Stops listening for revocations. */
  close(): void;
}

export function createApi({ report, ...options }: ApiOptions): Api {
  // Nothing is fetched before the first token; from then on keys and revocations are known here.
  const verifier = createVerifier({
    ...options,
    report: (fault) => report(`could not hear from Sallyport: ${fault.message}`),
    fetch: (url, init) => {
      narrateFetch(url, init, report);
      return fetch(url, init);
    },
  });
  const narrated: Pick<typeof verifier, 'verify'> = {
    async verify(token, requirements) {
      try {
        const verified = await verifier.verify(token, requirements);
        report(`verified the access token of ${verified.client_id}, asking nobody`);
        return verified;
      } catch (error) {
        report(`refuses a token: ${error instanceof TokenError ? error.reason : 'unknown'}`);
        throw error;
      }
    },
  };

  const app = new Koa();
  app.use(requireToken(narrated, { scope: 'api:read' }));
  app.use((ctx) => answer(ctx, ctx.state.token));
  return { app, close: () => verifier.close() };
}

/** What the API is for. Yours would do something useful with `sub` here. */
function answer(ctx: Context, { sub, client_id, scope, exp }: VerifiedToken): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.body = {
    message: 'Hello from the API. Your token was verified offline.',
    sub,
    client_id,
    scope: scope.join(' '),
    expires_at: new Date(exp * 1000).toISOString(),
  };
}

/** The two that are worth a line. Status lists come again and again. */
function narrateFetch(url: string, { headers }: RequestInit, report: (step: string) => void): void {
  if (new Headers(headers).get('accept') === 'text/event-stream')
    report('listens for revocations (/revocations)');
  if (url.endsWith('/jwks')) report('fetches the JWK Set, and keeps it');
}
