/**
 * Listening and shutting down: the sockets around the application. SIGTERM stops accepting, finishes what runs within ten seconds,
 * then closes the database.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type Koa from 'koa';
import type { Config } from './config.js';
import { readCertificate, type Where } from './tls.js';

export interface Listening {
  /** The port that was really taken. */
  readonly port: number;
  /** The port at which clients are asked for a certificate; undefined where there is none. */
  readonly mtls_port: number | undefined;
  /** Takes a renewed certificate into use, and says what is wrong with the one that is. Nothing happens where the server speaks plain http. */
  renewCertificate(where: Where): Promise<void>;
  /** Stops accepting and waits, at most `drain_ms`, until every answer is out. */
  close(drain_ms: number): Promise<void>;
}

type ListenConfig = Pick<Config, 'hosts' | 'port'> & Partial<Pick<Config, 'tls' | 'MTLS_PORT'>>;

const timeouts = { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 };

/**
 * Listens on every host of the configuration, on one port, and on the one for client certificates where there is one. Throws a sentence
 * if a port is taken or the server's certificate is not right.
 */
export async function listen(app: Koa, { hosts, port, tls, MTLS_PORT }: ListenConfig): Promise<Listening> {
  const handler = app.callback();
  const certificate = tls && (await readCertificate(tls));
  const opened: Watched[] = [];
  try {
    const plain = () => createServer(timeouts, handler);
    const secure = (mutual: boolean) => () =>
      certificate?.createServer(timeouts, handler, { mutual }) ?? plain();
    const taken = await openPort(secure(false), hosts, { port, setting: 'SALLYPORT_PORT' }, opened);
    const asking = MTLS_PORT !== undefined && certificate !== undefined;
    const mtls_port = asking
      ? await openPort(secure(true), hosts, { port: MTLS_PORT, setting: 'SALLYPORT_MTLS_PORT' }, opened)
      : undefined;
    return {
      port: taken,
      mtls_port,
      renewCertificate: async (where) => certificate?.renew(where),
      close: async (drain_ms) => {
        await Promise.all(opened.map((watched) => closeServer(watched, drain_ms)));
      },
    };
  } catch (error) {
    await Promise.all(opened.map((watched) => closeServer(watched, 0)));
    throw error;
  }
}

/** A port, and the setting that chooses another. */
interface Port {
  readonly port: number;
  readonly setting: string;
}

/** Opens one port on every host, adding the servers to `opened`. Gives the port. */
async function openPort(
  make: () => Server | TlsServer,
  hosts: readonly string[],
  { port, setting }: Port,
  opened: Watched[],
): Promise<number> {
  let taken: number | undefined;
  for (const host of hosts) {
    const server = make();
    const watched = watch(server);
    const found = await open(server, host, { port: taken ?? port, setting }, taken !== undefined);
    if (found === undefined) continue;
    opened.push(watched);
    taken = found;
  }
  return taken ?? port;
}

/** A server with its connections, and the connection of each answer that is under way. */
interface Watched {
  readonly server: Server | TlsServer;
  readonly connections: ReadonlySet<Socket>;
  readonly answers: ReadonlyMap<ServerResponse, Socket>;
}

function watch(server: Server | TlsServer): Watched {
  const connections = new Set<Socket>();
  const answers = new Map<ServerResponse, Socket>();
  const shaking = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    connections.add(socket);
    if (server instanceof TlsServer) shaking.set(name, socket);
    socket.on('close', () => {
      connections.delete(socket);
      shaking.delete(name);
    });
  });
  // The handshake is done: what is to be waited for, or ended, is the socket in which requests come, around the one from before.
  server.on('secureConnection', (socket: Socket) => {
    const inner = shaking.get(nameOf(socket));
    if (inner !== undefined) connections.delete(inner);
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    answers.set(response, request.socket);
    response.on('close', () => answers.delete(response));
  });
  return { server, connections, answers };
}

/** Both sockets of a TLS connection have it. */
function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

/** The port; undefined where this machine has no such address (no IPv6, say) but has another. */
function open(
  server: Server | TlsServer,
  host: string,
  { port, setting }: Port,
  optional: boolean,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(new Error(`Port ${port} of ${host} is taken by another program. ${setting} chooses another.`));
      else if (error.code === 'EACCES')
        reject(
          new Error(`Port ${port} of ${host} may not be opened by this user. ${setting} chooses another.`),
        );
      else if (optional && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT'))
        resolve(undefined);
      else reject(error);
    });
    const everywhere = host === '::'; // then Node takes IPv4 alone where there is no IPv6
    server.listen({ port, ...(!everywhere && { host }) }, () =>
      resolve((server.address() as AddressInfo).port),
    ); // a TCP server has one
  });
}

/**
 * Ends every connection on which nothing is under way, also one that never said a word, and the others when their answer is out.
 * What is left after `drain_ms` is cut off.
 */
function closeServer({ server, connections, answers }: Watched, drain_ms: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), drain_ms);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    const busy = new Set(answers.values());
    for (const socket of connections) if (!busy.has(socket)) socket.destroy();
    for (const [answer, socket] of answers) {
      if (!answer.headersSent) answer.setHeader('Connection', 'close');
      answer.once('close', () => socket.end());
      if (answer.getHeader('content-type') === 'text/event-stream') answer.end(); // it has no end of its own
    }
  });
}
