/** https without a proxy (protocol HTTP-02), by real handshakes. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../src/server.js';
import { type Made, newAuthority, newCertificate } from './support/certificates.js';
import { newFolder } from './support/folder.js';
import { freePort } from './support/free_port.js';

const authority = newAuthority();
const named = (wanted = {}) =>
  newCertificate({
    issuer: authority,
    subject: [{ CN: 'id.example' }],
    san: [['dns', 'id.example']],
    ...wanted,
  });

interface Logged {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A server with a certificate in two files. */
async function start(made: Made = named(), MTLS_PORT?: number) {
  const folder = await newFolder();
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  /** As programs that renew certificates do it: a new file in the place of the old one. */
  const replace = async (path: string, text: string) => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await replace(tls.cert, made.pem);
  await replace(tls.key, made.key_pem);
  const app = new Koa();
  const waiting: (() => void)[] = [];
  app.use(async (ctx) => {
    if (ctx.path === '/slow') await new Promise<void>((go) => waiting.push(go));
    ctx.body = ctx.path;
  });
  const server = await listen(app, { hosts: ['127.0.0.1'], port: 0, tls, MTLS_PORT });
  const logged: Logged[] = [];
  const at = (level: Logged['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields, message });
  onTestFinished(() => server.close(0));
  return {
    server,
    logged,
    waiting,
    cert: (text: string) => replace(tls.cert, text),
    key: (text: string) => replace(tls.key, text),
    renew: ({ host = 'id.example', now = 1_900_000_000 } = {}) =>
      server.renewCertificate({
        ...{ host, now },
        log: { info: at('info'), warn: at('warn'), error: at('error') } as never,
      }),
    /** The connection, or the code of the error for which there is none. */
    handshake: (options: ConnectionOptions = {}) => handshake(server.port, options),
  };
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket | string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'id.example',
    ca: authority.pem,
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

const opened = (found: TLSSocket | string): TLSSocket => {
  if (typeof found === 'string') throw new Error(found);
  return found;
};

/** Asks for a path on a connection that is open. Gives the status line. */
async function ask(socket: TLSSocket, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: id.example\r\n\r\n`);
  const [data] = await once(socket, 'data');
  return String(data).split('\r\n')[0] ?? '';
}

const serialOf = (socket: TLSSocket) => socket.getPeerCertificate().raw.toString('base64');

/** Old versions and suites, which this test's OpenSSL would not even offer. */
const anything = 'DEFAULT:@SECLEVEL=0';
const rsa = rsaCertificate();

describe('a handshake (HTTP-02)', () => {
  test('is one of TLS 1.3 where the other side knows it (HTTP-02)', async () => {
    const { handshake } = await start();
    const socket = opened(await handshake());
    expect([socket.getProtocol(), socket.authorized]).toEqual(['TLSv1.3', true]);
    expect(await ask(socket)).toBe('HTTP/1.1 200 OK');
  });

  test.each(['TLSv1', 'TLSv1.1'] as const)('by %s alone is refused (HTTP-02)', async (version) => {
    const { handshake } = await start();
    const versions = { minVersion: version, maxVersion: version, ciphers: anything };
    expect(await handshake(versions)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS/);
  });

  test.each([
    ['ECDHE-ECDSA-AES128-GCM-SHA256', named()],
    ['ECDHE-ECDSA-AES256-GCM-SHA384', named()],
    ['ECDHE-RSA-AES128-GCM-SHA256', rsa],
    ['ECDHE-RSA-AES256-GCM-SHA384', rsa],
  ])('by TLS 1.2 works with %s (HTTP-02)', async (suite, made) => {
    const { handshake } = await start(made);
    const socket = opened(await handshake({ maxVersion: 'TLSv1.2', ciphers: suite }));
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(['TLSv1.2', suite]);
  });

  test.each([
    ['ECDHE-ECDSA-AES128-SHA256', named()],
    ['ECDHE-ECDSA-AES256-SHA', named()],
    ['ECDHE-ECDSA-CHACHA20-POLY1305', named()],
    ['ECDHE-ECDSA-AES128-CCM', named()],
    ['ECDHE-RSA-AES256-SHA384', rsa],
    ['ECDHE-RSA-CHACHA20-POLY1305', rsa],
    ['DHE-RSA-AES128-GCM-SHA256', rsa],
    ['AES256-GCM-SHA384', rsa],
    ['AES128-SHA', rsa],
  ])('by TLS 1.2 is refused with %s (HTTP-02)', async (suite, made) => {
    const { handshake } = await start(made);
    const offered = { maxVersion: 'TLSv1.2' as const, ciphers: `${suite}:@SECLEVEL=0` };
    expect(await handshake(offered)).toMatch(/HANDSHAKE_FAILURE|ECONNRESET/);
  });

  test('keeps the connection for the requests that follow, and tells the time (HTTP-13)', async () => {
    const { server } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.pem, servername: 'id.example' });
    onTestFinished(() => agent.destroy());
    const ports: unknown[] = [];
    for (const path of ['/a', '/b']) {
      const sent = request({ host: '127.0.0.1', port: server.port, path, agent }).end();
      const [response] = await once(sent, 'response');
      ports.push(response.socket.localPort);
      expect(Math.abs(Date.parse(response.headers.date) - Date.now())).toBeLessThan(60_000);
      await once(response.resume(), 'end');
    }
    expect(ports[0]).toBe(ports[1]);
  });

  test('that speaks plain http is refused', async () => {
    const { server } = await start();
    const socket = connectPlain(server.port, '127.0.0.1');
    socket.on('error', () => undefined); // it may be reset
    let answer = '';
    socket.on('data', (data) => {
      answer += String(data);
    });
    socket.write('GET / HTTP/1.1\r\nHost: id.example\r\n\r\n');
    await once(socket, 'close');
    expect(answer).not.toContain('200 OK');
  });
});

describe('a certificate', () => {
  test('that was renewed is shown to who comes next; connections that are open go on', async () => {
    const { handshake, cert, key, renew, logged } = await start();
    const before = opened(await handshake());
    const made = named();
    await cert(made.pem);
    await key(made.key_pem);
    await renew();
    const after = opened(await handshake());
    expect(serialOf(after)).toBe(made.der.toString('base64'));
    expect(serialOf(before)).not.toBe(serialOf(after));
    expect(await ask(before)).toBe('HTTP/1.1 200 OK');
    expect(logged.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'the renewed certificate is in use'],
    ]);
    const old = await handshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: anything });
    expect(old).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS/);
    expect(await handshake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' })).toMatch(
      /HANDSHAKE_FAILURE/,
    );
  });

  test('that did not change is not told of', async () => {
    const { renew, logged } = await start();
    await renew();
    await renew();
    expect(logged).toEqual([]);
  });

  test.each([
    [
      'is for another host',
      { host: 'other.example' },
      "is for another host than the issuer's, other.example",
    ],
    ['is for no address', { host: '[::1]' }, "is for another host than the issuer's, ::1"],
    ['begins later', { now: 999_999_999 }, 'is good only from Sep  9 01:46:40 2001 GMT'],
    ['ends within two weeks', { now: 2_000_000_000 - 14 * 86_400 }, 'ends soon: May 18 03:33:20 2033 GMT'],
    ['has expired', { now: 2_000_000_000 }, 'has expired: May 18 03:33:20 2033 GMT'],
  ])('that %s is told of, once', async (_, where, fault) => {
    const { renew, logged } = await start(named({ from: 1_000_000_000, to: 2_000_000_000 }));
    await renew();
    expect(logged).toEqual([]);
    await renew(where);
    await renew(where);
    expect(logged).toMatchObject([{ level: 'warn', message: `the certificate ${fault}` }]);
  });

  test.each<[string, (place: Awaited<ReturnType<typeof start>>) => Promise<void>]>([
    ['without its new key, half of a pair', (place) => place.cert(named().pem)],
    ['without the new certificate', (place) => place.key(named().key_pem)],
    ['cut off in the middle', (place) => place.cert(named().pem.slice(0, 300))],
    ['that is empty', (place) => place.cert('')],
    ['that is no PEM', (place) => place.key('renewal failed')],
  ])('%s changes nothing, and is logged once', async (_, damage) => {
    const place = await start();
    const before = serialOf(opened(await place.handshake()));
    await damage(place);
    await place.renew();
    await place.renew();
    expect(serialOf(opened(await place.handshake()))).toBe(before);
    expect(place.logged).toMatchObject([
      { level: 'error', message: 'the certificate was not renewed: the old one stays in use' },
    ]);
    const made = named();
    await place.cert(made.pem);
    await place.key(made.key_pem);
    await place.renew();
    expect(serialOf(opened(await place.handshake()))).toBe(made.der.toString('base64'));
  });

  test('that cannot be read, or is not that of the key, stops the start with a sentence', async () => {
    const folder = await newFolder();
    const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const started = () => listen(new Koa(), { hosts: ['127.0.0.1'], port: 0, tls });
    await expect(started()).rejects.toThrow(`SALLYPORT_TLS_CERT: ${tls.cert} cannot be read`);
    await writeFile(tls.cert, named().pem);
    await writeFile(tls.key, named().key_pem);
    await expect(started()).rejects.toThrow(
      'SALLYPORT_TLS_CERT and SALLYPORT_TLS_KEY are no certificate and its private key',
    );
  });
});

describe('a TLS server that is closed', () => {
  test('ends what is idle, and handshakes that are not done, at once', async () => {
    const { server, handshake } = await start();
    const idle = opened(await handshake());
    await ask(idle);
    const silent = connectPlain(server.port, '127.0.0.1');
    await once(silent, 'connect');
    const ended = [once(idle, 'close'), once(silent, 'close')];
    const began = performance.now();
    await Promise.all([server.close(10_000), ...ended]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test('finishes what is under way', async () => {
    const { server, handshake, waiting } = await start();
    const socket = opened(await handshake());
    const answer = ask(socket, '/slow');
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closing = server.close(10_000);
    for (const go of waiting) go();
    expect(await answer).toBe('HTTP/1.1 200 OK');
    await closing;
  });
});

describe('the port for client certificates (MTL-03)', () => {
  test('asks for one and takes any, or none; the other port never asks', async () => {
    const { server } = await start(named(), await freePort());
    const client = newCertificate();
    const shown = { cert: client.pem, key: client.key_pem };
    for (const options of [{}, shown]) {
      const socket = opened(await handshake(server.mtls_port ?? 0, options));
      expect(await ask(socket)).toBe('HTTP/1.1 200 OK');
      expect(await ask(opened(await handshake(server.port, options)))).toBe('HTTP/1.1 200 OK');
    }
  });

  test('resumes no session: the certificates of a chain are seen in a full handshake alone', async () => {
    const { server } = await start(named(), await freePort());
    for (const [port, resumed] of [
      [server.port, true],
      [server.mtls_port ?? 0, false],
    ] as const) {
      for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
        const first = opened(await handshake(port, { maxVersion }));
        const sessions: Buffer[] = [];
        first.on('session', (session: Buffer) => sessions.push(session));
        await ask(first);
        const session = sessions.at(-1) ?? first.getSession();
        const second = opened(await handshake(port, { maxVersion, ...(session && { session }) }));
        expect([port === server.port, maxVersion, second.isSessionReused()]).toEqual([
          resumed,
          maxVersion,
          resumed,
        ]);
      }
    }
  });
});

/** With an RSA key, for the suites that need one. */
function rsaCertificate(): Made {
  return named({ key_pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) });
}
