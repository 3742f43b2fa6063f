/**
 * Listening and shutting down: the sockets around the application. SIGTERM stops accepting, finishes what runs within ten seconds,
 * then closes the database.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  const servers: Server[] = [];
  let { port } = config;
  try {
    for (const host of config.hosts) {
      const server = createServer(
        { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 },
        handler,
      );
      const opened = await open(server, host, port, servers.length > 0);
      if (opened === undefined) continue;
      servers.push(server);
      port = opened;
    }
  } catch (error) {
    await Promise.all(servers.map((server) => closeServer(server, 0)));
    throw error;
  }
  return {
    port,
    async close(drain_ms) {
      await Promise.all(servers.map((server) => closeServer(server, drain_ms)));
    },
  };
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
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port)); // a TCP server has one
  });
}

function closeServer(server: Server, drain_ms: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), drain_ms);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    server.closeIdleConnections();
  });
}
