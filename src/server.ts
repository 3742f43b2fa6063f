/**
 * Listening and shutting down: the sockets around the application. SIGTERM stops accepting, finishes what runs within ten seconds,
 * then closes the database.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type Koa from 'koa';
import type { Config } from './config.js';

export interface Listening {
  /** The port that was really taken. */
  readonly port: number;
  /** Stops accepting and waits, at most `drain_ms`, until every answer is out. */
  close(drain_ms: number): Promise<void>;
}

/** Listens on every host of the configuration, on one port. Throws a sentence if the port is taken. */
export async function listen(app: Koa, config: Pick<Config, 'hosts' | 'port'>): Promise<Listening> {
  const handler = app.callback();
  const opened: Watched[] = [];
  let { port } = config;
  try {
    for (const host of config.hosts) {
      const server = createServer(
        { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 },
        handler,
      );
      const watched = watch(server);
      const taken = await open(server, host, port, opened.length > 0);
      if (taken === undefined) continue;
      opened.push(watched);
      port = taken;
    }
  } catch (error) {
    await Promise.all(opened.map((watched) => closeServer(watched, 0)));
    throw error;
  }
  return {
    port,
    async close(drain_ms) {
      await Promise.all(opened.map((watched) => closeServer(watched, drain_ms)));
    },
  };
}

/** A server with its connections, and the connection of each answer that is under way. */
interface Watched {
  readonly server: Server;
  readonly connections: ReadonlySet<Socket>;
  readonly answers: ReadonlyMap<ServerResponse, Socket>;
}

function watch(server: Server): Watched {
  const connections = new Set<Socket>();
  const answers = new Map<ServerResponse, Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    answers.set(response, request.socket);
    response.on('close', () => answers.delete(response));
  });
  return { server, connections, answers };
}

/** The port; undefined where this machine has no such address (no IPv6, say) but has another. */
function open(server: Server, host: string, port: number, optional: boolean): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new Error(`Port ${port} of ${host} is taken by another program. SALLYPORT_PORT chooses another.`),
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
