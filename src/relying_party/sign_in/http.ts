/** Answers, and forms that are read: the small print of HTTP in one place. */
import { SignInError } from './errors.js';

/** A form may be this long, bytes. */
export const longest_body = 65_536;

/** 303 See Other with cookies: the browser goes on with GET, and nobody keeps the answer. */
export function seeOther(location: string, cookies: readonly string[] = []): Response {
  return withCookies(
    new Response(null, {
      status: 303,
      headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    }),
    cookies,
  );
}

/** The same response with one more header. */
export function withHeader(response: Response, name: string, value: string): Response {
  const headers = new Headers(response.headers);
  headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

/** The same response with more cookies. A copy: headers of a response that was fetched or redirected cannot be changed. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  if (cookies.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const line of cookies) headers.append('set-cookie', line);
  return new Response(response.body, { status: response.status, headers });
}

/** Throws SignInError `method_not_allowed`. */
export function assertMethod(request: Request, ...allowed: readonly string[]): void {
  if (allowed.includes(request.method)) return;
  const allow = allowed.join(', ');
  throw new SignInError('method_not_allowed', `This address takes ${allow} only.`, { allow });
}

export function queryOf(request: Request): URLSearchParams {
  return new URL(request.url).searchParams;
}

/** The one value of a parameter; null where it is absent. Throws `request_invalid` where it is sent twice (RFC 6749 §3.1). */
export function single(params: URLSearchParams, name: string): string | null {
  const values = params.getAll(name);
  if (values.length > 1)
    throw new SignInError('request_invalid', `The parameter ${name} was sent more than once.`);
  return values[0] ?? null;
}

/** The fields of a posted form; none where there is no body. Throws `request_invalid` for another kind of body or too long a one. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const text = await readText(request);
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (text !== '' && type !== 'application/x-www-form-urlencoded') {
    throw new SignInError(
      'request_invalid',
      'This address takes forms only (application/x-www-form-urlencoded).',
    );
  }
  return new URLSearchParams(text);
}

async function readText(request: Request): Promise<string> {
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > longest_body) {
      throw new SignInError('request_invalid', `The form is longer than ${longest_body} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
