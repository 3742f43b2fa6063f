import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Listening, listen } from '../src/server.js';

/** A server whose answers wait until the test lets them go. */
async function start(hosts: readonly string[] = ['127.0.0.1']) {
  const app = new Koa();
  const waiting: (() => void)[] = [];
  const arrivals: (() => void)[] = [];
  app.use(async (ctx) => {
    if (ctx.path === '/slow') {
      await new Promise<void>((go) => {
        waiting.push(go);
        arrivals.shift()?.();
      });
    }
    ctx.body = ctx.path;
  });
  const server = await listen(app, { hosts, port: 0 });
  let closed = false;
  const close = async (drain_ms: number) => {
    const began = performance.now();
    await server.close(drain_ms);
    closed = true;
    return performance.now() - began;
  };
  onTestFinished(async () => {
    for (const go of waiting) go();
    if (!closed) await server.close(0);
  });
  return {
    server,
    close,
    /** Resolves when the next request for /slow is under way. */
    arrived: () => new Promise<void>((resolve) => arrivals.push(resolve)),
    letGo: () => {
      for (const go of waiting.splice(0)) go();
    },
  };
}

function get(
  { port }: Listening,
  path: string,
  agent: Agent,
): Promise<{ status: number; connection: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection ?? '' });
      });
    })
      .on('error', reject)
      .end();
  });
}

/** An agent that keeps its connections open as long as the server lets it. */
function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

async function opened(socket: Socket): Promise<'open' | 'refused'> {
  onTestFinished(() => void socket.destroy());
  return Promise.race([
    once(socket, 'connect').then(() => 'open' as const),
    once(socket, 'error').then(() => 'refused' as const),
  ]).catch(() => 'refused' as const);
}

describe('a server that is closed', () => {
  test('does not wait for connections that are idle', async () => {
    const { server, close } = await start();
    const agent = keepAlive();
    await Promise.all([1, 2, 3].map(() => get(server, '/quick', agent)));
    expect(await close(10_000)).toBeLessThan(2000);
  });

  test('does not wait for somebody who connected and says nothing', async () => {
    const { server, close } = await start();
    const socket = connect(server.port, '127.0.0.1');
    expect(await opened(socket)).toBe('open');
    expect(await close(10_000)).toBeLessThan(2000);
  });

  test('finishes what is under way, refuses what is new, and does not wait for the connection to go idle', async () => {
    const { server, close, arrived, letGo } = await start();
    const agent = keepAlive();
    const under_way = arrived();
    const slow = get(server, '/slow', agent);
    await under_way;
    const closing = close(10_000);
    expect(await opened(connect(server.port, '127.0.0.1'))).toBe('refused');
    letGo();
    expect(await slow).toEqual({ status: 200, connection: 'close' });
    expect(await closing).toBeLessThan(2000);
  });

  test('gives up on a request that takes longer than the limit', async () => {
    const { server, close, arrived } = await start();
    const under_way = arrived();
    const slow = get(server, '/slow', keepAlive()).catch((error: Error) => error);
    await under_way;
    const took = await close(300);
    expect(took).toBeGreaterThanOrEqual(290);
    expect(took).toBeLessThan(2000);
    expect(await slow).toBeInstanceOf(Error);
  });
});

describe('a port', () => {
  test('that is taken is told in a sentence that says which setting helps', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo; // a TCP server has one
    await expect(listen(new Koa(), { hosts: ['127.0.0.1'], port })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is taken by another program. SALLYPORT_PORT chooses another.`,
    );
  });

  test('that is taken on one of two hosts is given back on the other', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo; // a TCP server has one
    await expect(listen(new Koa(), { hosts: ['127.0.0.2', '127.0.0.1'], port })).rejects.toThrow('is taken');
    expect(await opened(connect(port, '127.0.0.2'))).toBe('refused');
  });

  test('is the same one on every host', async () => {
    const { server } = await start(['127.0.0.1', '127.0.0.2']);
    expect(await opened(connect(server.port, '127.0.0.1'))).toBe('open');
    expect(await opened(connect(server.port, '127.0.0.2'))).toBe('open');
  });

  test('on a host that this machine does not have is left out where another host is there', async () => {
    const { server } = await start(['127.0.0.1', '192.0.2.1']);
    expect(await opened(connect(server.port, '127.0.0.1'))).toBe('open');
    await expect(listen(new Koa(), { hosts: ['192.0.2.1'], port: 0 })).rejects.toThrow('EADDRNOTAVAIL');
  });
});
