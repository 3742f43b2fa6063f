/** The real server on a loopback port, with a database and a clock of its own. Nothing of it is mocked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inject, onTestFinished } from 'vitest';
import { addClient, type NewClient } from '../../src/actions/clients.js';
import { addResource } from '../../src/actions/resources.js';
import { insertUser, newUserRow } from '../../src/actions/users.js';
import { createApp } from '../../src/app.js';
import { type Config, type Environment, readConfig } from '../../src/config.js';
import { type Deps, type Log, openDeps, type Substitutes, systemClock } from '../../src/deps.js';
import { hashPassword } from '../../src/factors/password.js';
import { type Argon2Options, createHashingGate } from '../../src/limits/hashing_gate.js';
import { createPasswordJudge } from '../../src/limits/password_judge.js';
import { beginSession } from './begin_session.js';
import { Browser } from './browser.js';
import { newDatabase } from './database.js';

/** One hashing process for a test file: it ends with the worker. */
const hashing = createHashingGate({ slots: 2, queue: 100_000 });
/** And one that judges new passwords, started by the first of them. */
const judge = createPasswordJudge();

/** The same gate for a server of its own, which counts who enters it. */
export function countingGate() {
  const gate = {
    entered: 0,
    verify(hash: string, password: string, alongside?: string) {
      gate.entered += 1;
      return hashing.verify(hash, password, alongside);
    },
    hash(password: string, options: Argon2Options) {
      gate.entered += 1;
      return hashing.hash(password, options);
    },
    get pending() {
      return hashing.pending;
    },
    close() {},
  };
  return gate;
}

export const password = 'correct horse battery staple';
/** The verifier of RFC 7636 Appendix B, and its challenge. */
export const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
export const redirect_uri = 'https://shop.example/cb';

export interface IdpOptions {
  readonly engine?: 'sqlite' | 'postgres';
  /** Settings without their prefix. With an https ISSUER the requests still go to the loopback port, as behind a proxy. */
  readonly settings?: Environment;
  /** What is in the files that settings name; all others are empty. */
  readonly files?: Readonly<Record<string, string>>;
  readonly substitutes?: Substitutes;
  /** The host of the issuer. A browser takes localhost and 127.0.0.1 for two sites; the socket is the same. */
  readonly host?: 'localhost';
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answered; the test says what it expects of it
  readonly body: any;
}

interface LoggedLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export type TestIdp = Awaited<ReturnType<typeof startIdp>>;

/** Starts a server; it is closed, and its database dropped, when the test is over. */
export async function startIdp(options: IdpOptions = {}) {
  const database = await newDatabase(options.engine ?? 'sqlite');
  const server = createServer();
  await listenOn(server, 0);
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const url = `http://127.0.0.1:${port}`;

  let now = systemClock();
  const logged: LoggedLine[] = [];
  const issuer = `http://${options.host ?? '127.0.0.1'}:${port}`;
  const environment = { ...defaults(issuer, database.url), ...prefixed(options.settings ?? {}) };
  const config = readConfig(environment, (path) => options.files?.[path] ?? '');
  const log = collectingLog(logged);
  const open = () => openDeps(config, { clock: () => now, hashing, judge, log, ...options.substitutes });
  let deps = await open();
  server.on('request', createApp(deps).callback());
  onTestFinished(async () => {
    await closeServer(server);
    await deps.close();
    await database.drop();
  });

  return {
    url,
    issuer: config.ISSUER,
    config,
    get deps() {
      return deps;
    },
    get db() {
      return deps.db;
    },
    logged,
    now: () => now,
    /** Moves the clock: there are no sleeps in tests. */
    advance(seconds: number) {
      now += seconds;
    },
    /** Stops the server and starts another on the same port and database: all that was in memory is gone. */
    async restart() {
      await closeServer(server);
      await deps.close();
      deps = await open();
      server.removeAllListeners('request').on('request', createApp(deps).callback());
      await listenOn(server, port);
      // fetch() keeps connections, and finds out that these were closed by losing a request.
      while (!(await fetch(`${url}/healthz`).catch(() => null)));
    },
    browser: () => new Browser(url, (email) => beginSession(deps, email)),
    fetch: (path: string, init: RequestInit = {}) => fetch(url + path, { redirect: 'manual', ...init }),
    addUser: (user: Partial<TestUser> = {}) => addTestUser(deps, user),
    addClient: (metadata: object = {}, client_id?: string) => addTestClient(deps, metadata, client_id),
    addResource: (identifier: string, ...scope: string[]) => addResource(deps, identifier, { scope }, now),
    /** POST /token with a form; members that are undefined are left out. */
    token: (form: Form, headers: Record<string, string> = {}) => post(`${url}/token`, form, headers),
    userinfo: async (access_token: string): Promise<JsonAnswer> =>
      answer(await fetch(`${url}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })),
  };
}

function defaults(ISSUER: string, DATABASE_URL: string): Environment {
  return prefixed({
    ISSUER,
    DATABASE_URL,
    MASTER_KEY: inject('master_key'),
    ARGON2_MEMORY_KIB: '7168',
    ARGON2_PASSES: '1',
    LOG_LEVEL: 'debug',
  });
}

function prefixed(settings: Environment): Environment {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`SALLYPORT_${name}`, value]));
}

function collectingLog(lines: LoggedLine[]): Log {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as Log;
}

function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

export interface TestUser {
  readonly email: string;
  readonly password: string;
  readonly claims: object;
  readonly roles: readonly string[];
  readonly email_verified: boolean;
}

async function addTestUser(deps: Deps, user: Partial<TestUser>) {
  const {
    email = 'ada@example.com',
    claims = { name: 'Ada Lovelace' },
    roles = [],
    email_verified = true,
  } = user;
  const row = newUserRow({ email, claims, roles, email_verified, password: null }, deps.clock());
  const hash = await hashOnce(deps.config, user.password ?? password);
  await deps.db.transaction((trx) => insertUser(trx, deps, row, hash));
  return row;
}

const hashes = new Map<string, Promise<string>>();

/** Hashes a password, and gives the same hash to all who have it: nearly everybody here. */
function hashOnce(config: Config, text: string): Promise<string> {
  const { ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES } = config;
  const key = JSON.stringify([ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, text]);
  const hash = hashes.get(key) ?? hashPassword(hashing, config, text);
  hashes.set(key, hash);
  return hash;
}

/** A confidential client for the code flow, unless `metadata` says otherwise. */
async function addTestClient(deps: Deps, metadata: object, client_id?: string): Promise<NewClient> {
  const usual = {
    client_name: 'Shop',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    first_party: true,
  };
  return addClient(deps, { ...usual, ...metadata }, deps.clock(), client_id);
}

export type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A form body: members that are undefined are left out, lists are repeated. */
export function formBody(form: Form): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) body.append(name, each);
  }
  return body;
}

export async function post(
  url: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  return answer(await fetch(url, { method: 'POST', body: formBody(form), headers, redirect: 'manual' }));
}

async function answer(response: Response): Promise<JsonAnswer> {
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

/** The Authorization header of client_secret_basic. RFC 6749 §2.3.1. */
export function basic(client_id: string, client_secret: string | null): Record<string, string> {
  const encoded = [client_id, client_secret ?? ''].map((part) => encodeURIComponent(part)).join(':');
  return { authorization: `Basic ${Buffer.from(encoded).toString('base64')}` };
}
