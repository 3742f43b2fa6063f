/** What the three kinds of middleware share: the token of a request, and the answer to one that is refused. RFC 6750 §2.1, §3. */
import type { Requirements, VerifiedToken } from './claims.js';
import { type ChallengeOptions, TokenError } from './errors.js';
import type { Verifier } from './verifier.js';

export interface RequireTokenOptions extends Requirements, ChallengeOptions {}

/** An answer, before it is written in somebody's way. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; empty where no token was sent. */
  readonly body: string;
}

/** Verifies the token of an Authorization header. Throws TokenError. A token in a form or a query is none: it ends up in logs. */
export async function verifyHeader(
  verifier: Pick<Verifier, 'verify'>,
  authorization: string | null | undefined,
  requirements: Requirements,
): Promise<VerifiedToken> {
  if (!authorization || !/^bearer(\s|$)/i.test(authorization))
    throw new TokenError('missing', 'there is no bearer token');
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new TokenError('authorization_header', 'the Authorization header holds no bearer token');
  return verifier.verify(token, requirements);
}

/** How a refusal is told. Rethrows what is no refusal of a token: that is the application's. */
export function refusalOf(error: unknown, options: ChallengeOptions): Refusal {
  if (!(error instanceof TokenError)) throw error;
  const challenge = error.challenge(options);
  const body = { error: error.code, error_description: error.description };
  return {
    status: error.status,
    headers: {
      'Cache-Control': 'no-store',
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(error.retry_after !== undefined && { 'Retry-After': `${error.retry_after}` }),
      ...(error.reason !== 'missing' && { 'Content-Type': 'application/json' }),
    },
    body: error.reason === 'missing' ? '' : JSON.stringify(body),
  };
}
