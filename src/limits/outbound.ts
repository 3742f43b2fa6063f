/**
 * The outbound gate: the one way in which this server asks or tells an address that somebody else named (logo_uri, jwks_uri,
 * backchannel_logout_uri). https only, no redirects, small, quick, and connected to the very address that was checked, so that no name can be rebound in between.
 * Hardening row 18; protocol HTTP-20.
 */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import ipaddr from 'ipaddr.js';
import { isLoopbackHost } from '../oauth/redirect_uri.js';

interface OutboundRequest {
  readonly url: string;
  /** The Accept header. */
  readonly accept: string;
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

export interface Outbound {
  /** The body of a 200 answer. Throws OutboundError saying why there is none. */
  fetch(request: OutboundRequest): Promise<OutboundResponse>;
  /** Posts a form; gives the status, whatever it is. Nothing of the body is read. Throws OutboundError if no answer came. */
  post(request: OutboundForm): Promise<number>;
}

/** Why nothing was fetched: for the log and the operator, never for a stranger. */
export class OutboundError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutboundError';
  }
}

export interface OutboundOptions {
  /** Whether http and loopback addresses are allowed: the issuer itself is a loopback http address. */
  readonly loopback: boolean;
  /** Host names that may resolve to private addresses. */
  readonly allowed_hosts: readonly string[];
  /** All addresses of a host name; a test puts its own here. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** The certificate authorities to trust, PEM; without it those that Node trusts. */
  readonly ca?: string;
}

const timeout_ms = 5000;

export function createOutbound(options: OutboundOptions): Outbound {
  const resolve = options.resolve ?? resolveName;

  async function exchange<T>(text: string, sent: Sent, read: (incoming: IncomingMessage) => Promise<T>) {
    const url = checkedUrl(text, options);
    const signal = AbortSignal.timeout(timeout_ms);
    const address = await withSignal(checkedAddress(url, options, resolve), signal);
    return withSignal(send({ url, address, signal, ca: options.ca }, sent, read), signal);
  }

  return {
    fetch({ url, accept, max_bytes }) {
      const sent: Sent = { method: 'GET', headers: { accept }, body: '' };
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
  };
}

function checkedUrl(text: string, options: OutboundOptions): URL {
  if (!URL.canParse(text)) throw new OutboundError('not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new OutboundError('the URL holds a user name');
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && options.loopback && isLoopbackHost(url.hostname)) return url;
  throw new OutboundError(`${url.protocol} is not allowed: only https`);
}

/** Resolves once and checks every address: one that is private hides behind no other. */
async function checkedAddress(
  url: URL,
  options: OutboundOptions,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<string> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = ipaddr.isValid(hostname) ? [hostname] : await resolve(hostname);
  const first = addresses[0];
  if (first === undefined) throw new OutboundError(`${hostname} has no address`);
  if (options.allowed_hosts.includes(url.hostname)) return first;
  const forbidden = addresses.find(
    (address) => !isAllowedAddress(address, options.loopback && isLoopbackHost(url.hostname)),
  );
  if (forbidden !== undefined) {
    throw new OutboundError(
      `${hostname} is at ${forbidden}, which is not a public address; SALLYPORT_OUTBOUND_ALLOWED_HOSTS can allow the host`,
    );
  }
  return first;
}

/** Global unicast addresses of IPv6 (RFC 4291 §2.4): IPv4 that hides in ::/96, and what is not assigned, stay outside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public unicast addresses alone (RFC 6890); loopback where the caller says so. */
function isAllowedAddress(address: string, loopback: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range === 'loopback') return loopback;
  return range === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast));
}

async function resolveName(hostname: string): Promise<readonly string[]> {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return ['127.0.0.1']; // RFC 6761 §6.3
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new OutboundError(`${hostname} does not resolve`, { cause });
  }
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
  readonly ca: string | undefined;
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
  return { content_type: incoming.headers['content-type'] ?? '', body: Buffer.concat(chunks) };
}

/** Gives up when the time is over, even where what is awaited does not listen to the signal. */
function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new OutboundError(`no complete answer within ${timeout_ms / 1000} s`));
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
