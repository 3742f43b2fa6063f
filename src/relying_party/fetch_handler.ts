/** For handlers from Request to Response, as in Hono, Next.js route handlers, Deno, Bun and workers that run Node's APIs. */
import { type RequireTokenOptions, refusalOf, verifyHeader } from './bearer.js';
import type { VerifiedToken } from './claims.js';
import type { Verifier } from './verifier.js';

/** Calls the handler for requests whose token is good, with the token behind the request; answers any other itself. */
export function requireTokenFetch<Rest extends readonly unknown[]>(
  verifier: Pick<Verifier, 'verify'>,
  options: RequireTokenOptions,
  handler: (request: Request, token: VerifiedToken, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    let token: VerifiedToken;
    try {
      token = await verifyHeader(verifier, request.headers.get('authorization'), options);
    } catch (error) {
      const { status, headers, body } = refusalOf(error, options);
      return new Response(body === '' ? null : body, { status, headers });
    }
    return handler(request, token, ...rest);
  };
}
