/** A small issuer for the tests of relying_party: signs with jose, keeps one status list, and fails in every way it is told to. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { createVerifier, type VerifierOptions } from '../../src/relying_party/index.js';

export const audience = 'https://api.example.com';
const started_at = 1_800_000_000;
const keyPairs = new Map<string, Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }>>();

/** One key pair for each name, made once: tests that need several take several names. */
export function keyPair(name: string, alg = 'RS256') {
  const made = keyPairs.get(name) ?? generateKeyPair(alg, { extractable: true });
  keyPairs.set(name, made);
  return made;
}

export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>;

export async function startIssuer() {
  const clock = { now: started_at };
  const keys = new Map([['k1', 'RS256']]);
  const revoked = new Set<number>();
  const faults = new Map<string, RequestListener>();
  const requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  const streams = new Set<ServerResponse>();
  const offered = { events: '' };
  let version = 1;

  const server = createServer((req, res) => {
    const path = req.url ?? '';
    requests.push({ path, headers: req.headers });
    const fault = faults.get(path);
    if (fault !== undefined) return fault(req, res);
    answer(path, req, res).catch((error) => res.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const issuer = `http://127.0.0.1:${port}`;
  const uri = `${issuer}/status-lists/1`;
  onTestFinished(() => stop());

  function stop(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async function sign(claims: JWTPayload, typ: string, kid = 'k1', header: object = {}): Promise<string> {
    const alg = keys.get(kid) ?? 'RS256';
    const { privateKey } = await keyPair(kid, alg);
    return new SignJWT(claims).setProtectedHeader({ alg, typ, kid, ...header }).sign(privateKey);
  }

  /** The status list token as it is now, with changes. */
  async function statusList(change: JWTPayload = {}, typ = 'statuslist+jwt', kid = 'k1'): Promise<string> {
    const bytes = Buffer.alloc(128);
    for (const idx of revoked) bytes[idx >> 3] = (bytes[idx >> 3] ?? 0) | (1 << (idx & 7));
    const status_list = { bits: 1, lst: deflateSync(bytes).toString('base64url') };
    const { now } = clock;
    return sign({ sub: uri, iat: now, exp: now + 86_400, ttl: 20, status_list, ...change }, typ, kid);
  }

  async function answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (path === '/.well-known/openid-configuration') {
      return json(res, { issuer, jwks_uri: `${issuer}/jwks` });
    }
    if (path === '/jwks') return json(res, { keys: await Promise.all([...keys].map(publicJwk)) });
    if (path === '/events') {
      streams.add(res);
      res.on('close', () => streams.delete(res));
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
      return;
    }
    if (path !== '/status-lists/1') {
      res.writeHead(404).end();
      return;
    }
    const etag = `"${version}"`;
    if (offered.events !== '') res.setHeader('link', `<${offered.events}>; rel="monitor"`);
    if (req.headers['if-none-match'] === etag) {
      res.writeHead(304, { etag }).end();
      return;
    }
    res.writeHead(200, { 'content-type': 'application/statuslist+jwt', etag }).end(await statusList());
  }

  return {
    ...{ issuer, uri, clock, keys, faults, requests, streams, offered, sign, statusList, stop },
    advance(seconds: number) {
      clock.now += seconds;
    },
    asked: (path: string) => requests.filter((request) => request.path === path).length,
    /** An access token of this issuer, with changes of claims and header. */
    token(change: JWTPayload = {}, header: object = {}, kid = 'k1'): Promise<string> {
      const { now } = clock;
      const claims = { iss: issuer, aud: audience, sub: 'u1', client_id: 'shop', iat: now, exp: now + 600 };
      return sign({ ...claims, scope: 'jobs:read jobs:run', ...change }, 'at+jwt', kid, header);
    },
    withStatus: (idx: number) => ({ status: { status_list: { idx, uri } } }),
    revoke(idx: number) {
      revoked.add(idx);
      version += 1;
    },
    /** Sends text to all who listen to the push channel. */
    push(text: string) {
      for (const stream of streams) stream.write(text);
    },
    securityEvent(idx: number, change: JWTPayload = {}, typ = 'secevent+jwt', kid = 'k1'): Promise<string> {
      const event = { event_timestamp: clock.now * 1000, status_list: { idx, uri } };
      const claims = { iss: issuer, iat: clock.now, jti: `e${idx}`, events: { [sessionRevoked]: event } };
      return sign({ ...claims, ...change }, typ, kid);
    },
    /** The same issuer, at the same address, after stop(). */
    restart: () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve)),
    /** A verifier of an application on the same clock; it is closed when the test is over. */
    verifier(options: Partial<VerifierOptions> = {}) {
      const reported: Error[] = [];
      const report = (fault: Error) => reported.push(fault);
      const verifier = createVerifier({ issuer, audience, now: () => clock.now, report, ...options });
      onTestFinished(() => verifier.close());
      return { ...verifier, reported };
    },
  };
}

async function publicJwk([kid, alg]: [string, string]): Promise<object> {
  return { ...(await exportJWK((await keyPair(kid, alg)).publicKey)), kid, alg, use: 'sig' };
}

function json(res: ServerResponse, body: object): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** What goes wrong with an answer, however the application asked for it. */
export const badAnswers: readonly (readonly [what: string, answer: RequestListener])[] = [
  ['an HTML page', (_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>')],
  ['500', (_, res) => res.writeHead(500).end('{}')],
  ['a redirect', (_, res) => res.writeHead(302, { location: '/elsewhere' }).end()],
  ['304 though nothing is there', (_, res) => res.writeHead(304).end()],
  ['nothing', (_, res) => res.writeHead(200).end()],
  ['null', (_, res) => res.writeHead(200).end('null')],
  ['a list', (_, res) => res.writeHead(200).end('[]')],
  ['an empty object', (_, res) => res.writeHead(200).end('{}')],
  [
    'half of it',
    (_, res) => res.writeHead(200, { 'content-length': '1000' }).write('{"keys":[', () => res.destroy()),
  ],
  ['no end of bytes', (_, res) => flood(res)],
  ['a closed connection', (_, res) => res.destroy()],
];

function flood(res: ServerResponse): void {
  const more = () => {
    while (!res.destroyed && res.write(Buffer.alloc(65_536, ' ')));
  };
  res.on('drain', more);
  more();
}
