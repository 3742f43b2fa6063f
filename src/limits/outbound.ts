/**
 * The outbound gate: the one way in which this server asks or tells an address that somebody else named (logo_uri, jwks_uri,
 * backchannel_logout_uri). https only, no redirects, small, quick, and connected to the very address that was checked, so that no name
 * can be rebound in between. Hardening row 18; protocol HTTP-20.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { Log } from '../deps.js';
import { checkedAddress, checkedUrl, OutboundError, type OutboundRules } from './outbound_address.js';
import { createOutboundRoom } from './outbound_room.js';

export { OutboundError };

interface OutboundRequest {
  readonly url: string;
  /** The Accept header. */
  readonly accept: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The largest body taken, in bytes. */
  readonly max_bytes: number;
}

interface OutboundForm {
  readonly url: string;
  /** What is posted, as application/x-www-form-urlencoded. */
  readonly form: Readonly<Record<string, string>>;
}

interface OutboundResponse {
  readonly content_type: string;
  readonly body: Buffer;
}

interface OutboundCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for none. */
  readonly body: string;
  /** The largest body taken, in bytes. */
  readonly max_bytes: number;
}

interface OutboundAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface Outbound {
  /** The body of a 200 answer. Throws OutboundError saying why there is none. */
  fetch(request: OutboundRequest): Promise<OutboundResponse>;
  /** Posts a form; gives the status, whatever it is. Nothing of the body is read. Throws OutboundError if no answer came. */
  post(request: OutboundForm): Promise<number>;
  /** The whole answer, whatever its status: for a library that speaks a protocol. Throws OutboundError if none came. */
  call(request: OutboundCall): Promise<OutboundAnswer>;
}

export interface OutboundOptions extends OutboundRules {
  /** Certificate authorities to trust beside those that Node does, PEM. */
  readonly extra_ca?: readonly string[];
  /** Told what is refused, with the setting that would allow it (protocol.md §30.10). */
  readonly log?: Pick<Log, 'warn'>;
}

const timeout_ms = 5000;

export function createOutbound(options: OutboundOptions): Outbound {
  const trusted = trustedContext(options.extra_ca ?? []);
  const room = createOutboundRoom();

  /** Whereto a request may go. What may not is told to the operator. */
  async function check(text: string, signal: AbortSignal): Promise<Checked> {
    try {
      const url = checkedUrl(text, options);
      const address = await withSignal(checkedAddress(url, options), signal);
      return { url, address, signal, secureContext: url.protocol === 'https:' ? trusted() : undefined };
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      options.log?.warn({ event: 'outbound_refused', host: hostOf(text), reason }, 'an address is not asked');
      throw error;
    }
  }

  async function exchange<T>(text: string, sent: Sent, read: (incoming: IncomingMessage) => Promise<T>) {
    const leave = room.enter(hostOf(text));
    try {
      const signal = AbortSignal.timeout(timeout_ms);
      return await withSignal(send(await check(text, signal), sent, read), signal);
    } finally {
      leave();
    }
  }

  return {
    fetch({ url, accept, headers, max_bytes }) {
      const sent: Sent = { method: 'GET', headers: { ...headers, accept }, body: '' };
      return exchange(url, sent, (incoming) => readBody(incoming, max_bytes));
    },
    post({ url, form }) {
      const headers = { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' };
      const sent: Sent = { method: 'POST', headers, body: new URLSearchParams(form).toString() };
      return exchange(url, sent, async (incoming) => {
        incoming.destroy(); // however long its body is
        return incoming.statusCode ?? 0;
      });
    },
    call({ url, max_bytes, ...sent }) {
      return exchange(url, sent, async (incoming) => ({
        status: incoming.statusCode ?? 0,
        headers: Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value) => [name, value] as const),
        ),
        body: await readBytes(incoming, max_bytes),
      }));
    },
  };
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).host : '';
}

/** Node's own authorities and these: read once, on first need, since there are some 150. Undefined for Node's own alone. */
function trustedContext(extra_ca: readonly string[]): () => SecureContext | undefined {
  let made: SecureContext | undefined;
  return () => {
    if (extra_ca.length > 0) made ??= createSecureContext({ ca: [...rootCertificates, ...extra_ca] });
    return made;
  };
}

/** What goes out. */
interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whereto: the address that was checked for the URL. */
interface Checked {
  readonly url: URL;
  readonly address: string;
  readonly signal: AbortSignal;
  readonly secureContext: SecureContext | undefined;
}

function send<T>(
  { url, address, ...connection }: Checked,
  { method, headers, body }: Sent,
  read: (incoming: IncomingMessage) => Promise<T>,
): Promise<T> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        cause instanceof OutboundError
          ? cause
          : new OutboundError(`${url.host} cannot be reached: ${cause.message}`, { cause }),
      );
    const outgoing = request(
      {
        method,
        host: address,
        port: url.port || undefined,
        path: url.pathname + url.search,
        servername: ipaddr.isValid(url.hostname.replace(/^\[|\]$/g, '')) ? '' : url.hostname,
        headers: {
          host: url.host,
          ...headers,
          ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
          'accept-encoding': 'identity',
          'user-agent': 'sallyport',
        },
        agent: false,
        ...connection,
      },
      (incoming) => read(incoming).then(resolve, fail),
    );
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}

async function readBody(incoming: IncomingMessage, max_bytes: number): Promise<OutboundResponse> {
  if (incoming.statusCode !== 200) {
    incoming.destroy();
    throw new OutboundError(`answered ${incoming.statusCode}; only 200 counts, redirects are not followed`);
  }
  return {
    content_type: incoming.headers['content-type'] ?? '',
    body: await readBytes(incoming, max_bytes),
  };
}

async function readBytes(incoming: IncomingMessage, max_bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > max_bytes) {
      incoming.destroy();
      throw new OutboundError(`answered more than ${max_bytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Gives up when the time is over, even where what is awaited does not listen to the signal. */
function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new OutboundError(`no complete answer within ${timeout_ms / 1000} s`));
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
