/**
 * Revocation events, GET /revocations: server-sent events (WHATWG HTML §9.2) that tell an application at once which bit of which status
 * list was set. Each is a signed Security Event Token (RFC 8417). Read with a client's own credentials: HTTP Basic, or an access
 * token that it got for itself. What a client missed it sees in the lists, which it reads when it connects. The stream ends with the right
 * to read it: when the client is disabled, its secret replaced, its token expired.
 */
import type { Context, Middleware } from 'koa';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { parseBearer } from '../http/bearer.js';
import { OAuthError } from '../oauth/errors.js';
import { parseParams } from '../oauth/params.js';
import { type Client, isStranger } from '../store/clients.js';
import { readAccessToken } from '../tokens/access_token.js';
import { signSessionRevoked } from '../tokens/security_event.js';
import { isCurrent } from '../tokens/status.js';
import type { Revocation } from '../tokens/status_lists.js';

type EventsDeps = Pick<
  Deps,
  'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'statusLists'
>;

const event_stream = 'text/event-stream';
const heartbeat_ms = 15_000;

/** Connections of one client to one process. */
const most_connections = 10;

/** More revocations at once than this are told by one event: read the lists. A signature for each would take longer. */
const most_at_once = 50;

/** What a reader that does not read may leave in memory, in bytes, before it is cut off. */
const most_unread = 262_144;

export function revocationEvents(deps: EventsDeps): Middleware {
  const connections = new Map<string, number>();
  const signed = createSigner(deps);

  return async (ctx) => {
    const client = await authenticatedReader(deps, ctx);
    assertKnown(client);
    const { client_id } = client;
    if (ctx.method === 'HEAD') {
      ctx.set('Content-Type', event_stream); // a stream without a body would never end
      ctx.status = 200;
      return;
    }
    const left = enter(connections, client_id);
    // From now on, so that nothing falls between what was missed and what comes: until the stream is open it is held.
    const held: Revocation[] = [];
    let deliver = (revocations: readonly Revocation[]) => void held.push(...revocations);
    const hush = deps.statusLists.listen((revocations) => deliver(revocations));
    const leave = () => {
      hush();
      left();
    };
    const missed = await missedSince(deps, ctx.get('last-event-id')).catch((error: unknown) => {
      leave();
      throw error;
    });
    if (ctx.res.destroyed) return leave(); // the client went away meanwhile

    const stream = openStream(ctx);
    const end = () => void stream.destroy();
    const assertReader = () => authenticatedReader(deps, ctx);
    deliver = (revocations) => void assertReader().then(() => sendAll(stream, signed, revocations), end);
    // A beat says that there was nothing to tell: a server that cannot know that must not be taken for one that is well.
    const beat = () =>
      Promise.all([deps.statusLists.current(), assertReader()]).then(() => tell(stream, ':\n\n'));
    const heartbeat = setInterval(() => void beat().catch(end), heartbeat_ms).unref();
    stream.on('close', () => {
      clearInterval(heartbeat);
      leave();
    });
    if (missed === 'too many') sayReset(stream);
    else
      void sendAll(stream, signed, [...new Map([...missed, ...held].map((one) => [one.id, one])).values()]);
  };
}

/** Counts a connection of a client, until the function it gives is called. Throws with status 429 where there are too many. */
function enter(connections: Map<string, number>, client_id: string): () => void {
  const open = connections.get(client_id) ?? 0;
  if (open >= most_connections)
    throw new OAuthError('temporarily_unavailable', 'this client listens on too many connections', {
      status: 429,
      retry_after: 5,
    });
  connections.set(client_id, open + 1);
  return () => {
    const left = (connections.get(client_id) ?? 1) - 1;
    if (left > 0) connections.set(client_id, left);
    else connections.delete(client_id);
  };
}

/** The client that reads. Throws `invalid_client` or `invalid_token`. */
async function authenticatedReader(deps: EventsDeps, ctx: Context): Promise<Client> {
  const now = deps.clock();
  const { authorization } = ctx.headers;
  const bearer = parseBearer(authorization ?? '');
  if (bearer === undefined)
    return authenticateClient(
      { ...deps, now },
      { authorization, params: parseParams(''), certificate: () => undefined },
    );
  const token = readAccessToken(await deps.keys.get(), deps.config, bearer, { now });
  const client = token?.authorization_id === '' ? await deps.caches.client(token.client_id) : undefined;
  if (!token || !client || client.disabled_at !== null || !isCurrent(token.status, client))
    throw new OAuthError('invalid_token', 'the access token is not one that a client got for itself here');
  return client;
}

/** Connections are counted by client, so that who can make any number of clients could hold any number of them. */
function assertKnown(client: Client): void {
  if (isStranger(client))
    throw new OAuthError(
      'access_denied',
      'an application that registered itself reads the status lists instead',
    );
}

const reset = 'event: reset\ndata: {}\n\n';
/** Another process has read by then what this one has just read, in milliseconds. */
const settled_ms = 500;

/** Tells to read the lists, at once and once more: who answers the first time may be a process that does not know yet. */
function sayReset(stream: Context['res']): void {
  tell(stream, reset);
  setTimeout(() => tell(stream, reset), settled_ms).unref();
}

/** Not where the server is closing: it has ended the stream, whose reader may not have taken the rest yet. */
function tell(stream: Context['res'], text: string): void {
  if (!stream.writableEnded && !stream.destroyed) stream.write(text);
}

/** What came after an event id of ours; without one what came in the last seconds, which the lists may not know yet. */
async function missedSince(
  { statusLists }: EventsDeps,
  last_event_id: string,
): Promise<readonly Revocation[] | 'too many'> {
  const position = last_event_id === '' ? undefined : Number(/^(\d{1,15})\./.exec(last_event_id)?.[1]);
  if (Number.isNaN(position)) return 'too many';
  const missed = await statusLists.since(position);
  return missed === undefined || missed.length > most_at_once ? 'too many' : missed;
}

/** Answers by hand, since koa has no answers without an end. */
function openStream(ctx: Context): Context['res'] {
  ctx.respond = false;
  const { res } = ctx;
  res.statusCode = 200;
  res.setHeader('Content-Type', event_stream);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Accel-Buffering', 'no'); // nginx would keep events back
  res.write(':\n\n'); // the headers leave at once
  return res;
}

type Signer = (revocation: Revocation) => Promise<string>;

async function sendAll(
  stream: Context['res'],
  signed: Signer,
  revocations: readonly Revocation[],
): Promise<void> {
  if (stream.writableLength > most_unread) stream.destroy();
  if (stream.destroyed) return;
  if (revocations.length > most_at_once) {
    sayReset(stream);
    return;
  }
  for (const revocation of revocations) {
    const event = await signed(revocation).catch(() => reset); // it cannot be signed: the lists tell
    tell(stream, event);
  }
}

/** Signs each event once for all who listen. */
function createSigner(deps: EventsDeps): Signer {
  const recent = new Map<string, Promise<string>>();
  const text = async (revocation: Revocation) => {
    const jwt = await signSessionRevoked(await deps.keys.get(), deps.config.ISSUER, revocation, deps.clock());
    return `id: ${deps.statusLists.settled()}.${revocation.id}\nevent: set\ndata: ${jwt}\n\n`;
  };
  return (revocation) => {
    const known = recent.get(revocation.id);
    if (known !== undefined) return known;
    const signing = text(revocation);
    recent.set(revocation.id, signing);
    const oldest = recent.keys().next().value;
    if (recent.size > 1000 && oldest !== undefined) recent.delete(oldest);
    signing.catch(() => recent.delete(revocation.id)); // told to whoever waits for it
    return signing;
  };
}
