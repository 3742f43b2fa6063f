/** Sign-in for Express and all that calls `(req, res, next)`, typed by their shape. */
import type { SignIn } from './create.js';
import { type NodeRequest, toRequest, urlOf } from './node_request.js';

/** As much of http.ServerResponse as is used here. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string | readonly string[]): unknown;
  end(text: string): unknown;
}

/** Answers the paths of `signIn`; every other request, and what the session store throws, goes to `next`. */
export function expressSignIn(
  signIn: SignIn,
): (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void) => void {
  const paths = new Set<string>(Object.values(signIn.paths));
  return (request, response, next) => {
    const url = urlOf(request.originalUrl ?? request.url ?? '', signIn.origin);
    if (url === undefined || !paths.has(new URL(url).pathname)) return next();
    answer(signIn, request, url, response).then((answered) => answered || next(), next);
  };
}

async function answer(
  signIn: SignIn,
  request: NodeRequest,
  url: string,
  response: NodeResponse,
): Promise<boolean> {
  const answered = await signIn.handle(await toRequest(request, url, request.body));
  if (answered === null) return false;
  response.statusCode = answered.status;
  for (const [name, value] of answered.headers) if (name !== 'set-cookie') response.setHeader(name, value);
  const cookies = answered.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  response.end(await answered.text());
  return true;
}
