/** From a request of node:http, as Koa and Express hand it on, to a Request. */
import { longest_body } from './http.js';

/** The shape of http.IncomingMessage, and of what Express makes of it. */
export interface NodeRequest extends AsyncIterable<Buffer | string> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the URL before a router took its prefix off. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> & {
    readonly cookie?: string | undefined;
  };
  /** What a body parser made of the form, if one was there first. */
  readonly body?: unknown;
}

/**
 * The URL of a request, at the app's own origin: a Host header decides nothing. Undefined for a target that makes no URL, or
 * another than it looks.
 */
export function urlOf(target: string, origin: string): string | undefined {
  return target.startsWith('/') && URL.canParse(origin + target) ? new URL(origin + target).href : undefined;
}

export async function toRequest(request: NodeRequest, url: string, parsed: unknown): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string' && !name.startsWith(':')) headers.set(name, value); // HTTP/2 has :method and others
  const { method = 'GET' } = request;
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers });
  const body = isForm(parsed) ? formText(parsed) : await readBody(request);
  return new Request(url, { method, headers, ...(body !== '' && { body }) });
}

/** Of too long a body no more than shows that it is: the handler refuses it. The rest is read, so that the answer can be sent. */
async function readBody(request: NodeRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (length > longest_body) continue;
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isForm(parsed: unknown): parsed is Readonly<Record<string, unknown>> {
  return typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length > 0;
}

function formText(parsed: Readonly<Record<string, unknown>>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parsed))
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each === 'string') form.append(name, each);
  return form.toString();
}
