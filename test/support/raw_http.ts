/** Requests that fetch would not send: any method, path, header and body, byte for byte, on a connection of their own. */
import { request } from 'node:http';

export interface RawRequest {
  readonly method?: string;
  /** The request target as it goes over the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends it to `url`'s host and port. A server that answers and hangs up before it read everything has answered. */
export function rawRequest(
  url: string,
  { method = 'GET', path, headers, body }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, agent: false, setHost: true });
    for (const [name, value] of Object.entries(headers ?? {})) sent.setHeader(name, value);
    // Node frames the body of a POST by itself, not that of a DELETE: it would arrive as another request.
    const framed =
      body === undefined || sent.hasHeader('content-length') || sent.hasHeader('transfer-encoding');
    if (!framed) sent.setHeader('content-length', Buffer.byteLength(body));
    let answered = false;
    sent.on('error', (error) => {
      if (!answered) reject(error);
    });
    sent.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', done);
      response.on('error', done);
    });
    sent.end(body);
  });
}
