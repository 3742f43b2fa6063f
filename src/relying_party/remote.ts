/** What is fetched of the issuer: small, quick, without redirects, and never anything else's. */

import { isObject } from './json.js';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface RemoteRequest {
  readonly url: string;
  /** The Accept header. */
  readonly accept: string;
  /** The largest body taken, in bytes. */
  readonly max_bytes: number;
  /** The ETag of what is there already: a 304 answer then counts. */
  readonly etag?: string | undefined;
}

interface RemoteAnswer {
  readonly body: Buffer;
  readonly headers: Headers;
  /** Answered 304: what is there already holds. */
  readonly not_modified: boolean;
}

export interface Remote {
  /** The body of a 200 answer, or a 304 where an ETag was sent. Throws RemoteError saying why there is none. */
  get(request: RemoteRequest): Promise<RemoteAnswer>;
  /** Ends whatever is being fetched; after it nothing is. */
  close(): void;
}

/** Why something of the issuer could not be had, or used: for the application's log. */
export class RemoteError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RemoteError';
  }
}

const timeout_ms = 5000;

export function createRemote(fetch: Fetch): Remote {
  const running = new Set<AbortController>();
  const state = { closed: false };

  return {
    async get(request) {
      if (state.closed) throw new RemoteError('the verifier is closed');
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), timeout_ms).unref();
      running.add(controller);
      try {
        return await untilAborted(read(fetch, request, controller.signal), controller.signal);
      } catch (cause) {
        throw cause instanceof RemoteError
          ? cause
          : new RemoteError(`${request.url} cannot be reached: ${messageOf(cause)}`, { cause });
      } finally {
        clearTimeout(timer);
        running.delete(controller);
        controller.abort(); // lets go of a body that was not read to its end
      }
    },
    close() {
      state.closed = true;
      for (const controller of running) controller.abort();
    },
  };
}

async function read(fetch: Fetch, request: RemoteRequest, signal: AbortSignal): Promise<RemoteAnswer> {
  const { url, accept, max_bytes, etag } = request;
  const headers = { accept, ...(etag !== undefined && { 'if-none-match': etag }) };
  const response = await fetch(url, { headers, redirect: 'manual', signal });
  const not_modified = response.status === 304 && etag !== undefined;
  if (!not_modified && response.status !== 200) {
    throw new RemoteError(
      `${url} answered ${response.status}; only 200 counts, and redirects are not followed`,
    );
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > max_bytes) throw new RemoteError(`${url} answered more than ${max_bytes} bytes`);
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), headers: response.headers, not_modified };
}

/** Gives up when the time is over, even where what is awaited does not listen to the signal. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new RemoteError(`no complete answer within ${timeout_ms / 1000} s`));
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** What Node's fetch hides behind “fetch failed”. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

/** The JSON object that a body holds. Throws RemoteError for anything else, an HTML page for one. */
export function parseObject(body: Buffer, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new RemoteError(`${what} is not JSON`, { cause });
  }
  throw new RemoteError(`${what} is not a JSON object`);
}
