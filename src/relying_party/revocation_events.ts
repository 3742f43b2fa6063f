/**
 * The push channel: revocations as they happen, as Security Event Tokens over server-sent events. RFC 8417; OpenID CAEP 1.0 §3.1
 * (session-revoked). One connection, kept up until it is closed; without it the status lists are polled.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createEventParser, type StreamEvent } from './event_stream.js';
import { membersOf } from './json.js';
import { type Fetch, RemoteError } from './remote.js';
import { isIndex, type StatusReference } from './status_list.js';
import type { StatusLists } from './status_lists.js';

/** What an issuer knows this application, or API, by. */
export interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
}

export interface RevocationEventsOptions {
  readonly issuer: string;
  readonly credentials: Credentials;
  readonly fetch: Fetch;
  readonly lists: StatusLists;
  /** The claims of a Security Event Token that the issuer signed. */
  readonly open: (jws: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly now: () => number;
  /** Seconds without a byte after which the connection counts as dead. */
  readonly dead_after_seconds: number;
  /** Is told why the channel is not there. */
  readonly report: (fault: Error) => void;
}

export interface RevocationEvents {
  /** Connects to the endpoint, and again whenever the connection is lost. Does nothing where that is done already. */
  start(endpoint: string): void;
  close(): void;
}

const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const answer_seconds = 10;
/** A connection that lasted as long was a good one: the next is tried soon. */
const good_seconds = 10;

export function createRevocationEvents(options: RevocationEventsOptions): RevocationEvents {
  const closed = new AbortController();
  const resume = { last_event_id: '' };
  let endpoint: string | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; !closed.signal.aborted; ) {
      const began_at = options.now();
      let refused = false;
      try {
        await listen(options, endpoint ?? '', resume, closed.signal);
      } catch (error) {
        refused = error instanceof RefusedError;
        if (!closed.signal.aborted) options.report(faultOf(error));
      }
      options.lists.disconnected();
      failures = options.now() - began_at >= good_seconds ? 1 : failures + 1;
      await sleep(backOff(refused ? Number.POSITIVE_INFINITY : failures), closed.signal);
    }
  }

  return {
    start(url) {
      const running = endpoint !== undefined;
      endpoint = url;
      if (!running) void run();
    },
    close: () => closed.abort(),
  };
}

/** The issuer will not have us: trying again soon would change nothing. */
class RefusedError extends RemoteError {}

function faultOf(error: unknown): Error {
  return error instanceof RemoteError
    ? error
    : new RemoteError('the push channel was lost', { cause: error });
}

/** 0.25 s, doubled each time, up to 30 s; anything between half of it and all, so that not all come back at once. In ms. */
function backOff(failures: number): number {
  return Math.min(30_000, 250 * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal, ref: false }).catch(() => undefined); // closed: the caller sees that
}

/** Listens until the connection ends, which it tells by throwing or returning. */
async function listen(
  options: RevocationEventsOptions,
  endpoint: string,
  resume: { last_event_id: string },
  closed: AbortSignal,
): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  closed.addEventListener('abort', abort, { once: true });
  const watch = setTimeout(abort, answer_seconds * 1000).unref();
  let dead: NodeJS.Timeout | undefined;
  try {
    const response = await connect(options, endpoint, resume.last_event_id, controller.signal);
    clearTimeout(watch);
    dead = setTimeout(abort, options.dead_after_seconds * 1000).unref();
    options.lists.connected();
    const events: StreamEvent[] = [];
    const feed = createEventParser((event) => events.push(event));
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      dead.refresh();
      options.lists.heard(options.now());
      feed(decoder.decode(chunk, { stream: true }));
      for (const event of events.splice(0)) {
        await handle(options, event);
        resume.last_event_id = event.id;
      }
    }
  } finally {
    clearTimeout(watch);
    clearTimeout(dead);
    closed.removeEventListener('abort', abort);
    controller.abort();
  }
}

async function connect(
  { credentials, fetch }: RevocationEventsOptions,
  endpoint: string,
  last_event_id: string,
  signal: AbortSignal,
): Promise<Response> {
  const headers = {
    accept: 'text/event-stream',
    authorization: basic(credentials),
    ...(last_event_id !== '' && { 'last-event-id': last_event_id }),
  };
  const response = await fetch(endpoint, { headers, redirect: 'manual', signal });
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 200 && /^text\/event-stream\b/i.test(type)) return response;
  const message = `${endpoint} answered ${response.status} ${type}: no event stream`;
  throw response.status >= 400 && response.status < 500
    ? new RefusedError(message)
    : new RemoteError(message);
}

/** Both halves are form-urlencoded first (RFC 6749 §2.3.1). */
function basic({ client_id, client_secret }: Credentials): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(client_id)}:${encode(client_secret)}`).toString('base64')}`;
}

/** An event that cannot be understood may have been a revocation: then the lists are fetched anew. */
async function handle(options: RevocationEventsOptions, { event, data }: StreamEvent): Promise<void> {
  if (event === 'reset') options.lists.reset();
  if (event !== 'set') return;
  try {
    const { reference, told_at } = readEvent(await options.open(data), options.issuer);
    options.lists.flip(reference, told_at);
  } catch (error) {
    options.report(faultOf(error));
    options.lists.reset();
  }
}

function readEvent(
  claims: Readonly<Record<string, unknown>>,
  issuer: string,
): { reference: StatusReference; told_at: number } {
  const { event_timestamp, status_list } = membersOf(membersOf(claims.events)[sessionRevoked]);
  const { idx, uri } = membersOf(status_list);
  if (claims.iss !== issuer) throw new RemoteError('an event is from another issuer');
  if (!isIndex(event_timestamp) || !isIndex(idx) || typeof uri !== 'string')
    throw new RemoteError('an event names no status list');
  const iat = isIndex(claims.iat) ? claims.iat * 1000 : 0; // by the clock of the process that tells, not of the one that revoked
  return { reference: { uri, idx }, told_at: Math.max(millisecondsOf(event_timestamp), iat) };
}

/** CAEP 1.0 §2 counts seconds; its drafts, and issuers that follow those, milliseconds. */
function millisecondsOf(event_timestamp: number): number {
  return event_timestamp < 1e11 ? event_timestamp * 1000 : event_timestamp; // 1e11 is the year 5138, or March 1973
}
