/** Middleware for Express and everything else that calls `(req, res, next)`: Connect, Polka, node:http itself. */
import { type RequireTokenOptions, refusalOf, verifyHeader } from './bearer.js';
import type { VerifiedToken } from './claims.js';
import type { Verifier } from './verifier.js';

/** What a request of node:http has; the token is added to it. */
interface NodeRequest {
  readonly headers: { readonly authorization?: string | undefined };
  token?: VerifiedToken;
}

// How the types of Express are told what a middleware adds.
declare global {
  namespace Express {
    interface Request {
      token?: VerifiedToken;
    }
  }
}

/** What a response of node:http has. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

/** Lets a request through whose token is good, with the token in `req.token`; answers any other itself. */
export function requireTokenExpress(verifier: Pick<Verifier, 'verify'>, options: RequireTokenOptions = {}) {
  return (req: NodeRequest, res: NodeResponse, next: (error?: unknown) => void): void => {
    verifyHeader(verifier, req.headers.authorization, options)
      .then(
        (token) => {
          req.token = token;
          return true;
        },
        (error) => {
          const { status, headers, body } = refusalOf(error, options);
          res.statusCode = status;
          for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
          res.end(body);
          return false;
        },
      )
      .then((admitted) => admitted && next(), next);
  };
}
