// @ts-check
/**
 * The servers under test: ours and the peer, each a process of its own with a database of its own, with the same people and the
 * same clients.
 * @import { ClientCredentials, ClientName, Endpoints, Person, Server } from './types.js'
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const discovery = '/.well-known/openid-configuration';
const start_patience_ms = 30_000;
const stop_patience_ms = 15_000;

/** At least as many as sign in at the same time in the storm. */
const people_count = 48;

/** Seconds: short, so that polling is measured in a minute. */
const status_list_ttl = 2;

/** What both servers are set up with. The clients' secrets are the peer's: ours makes its own. */
const common = {
  redirect_uri: 'https://app.example/callback',
  resource: 'https://api.example',
  scope: 'api:read',
  people: Array.from({ length: people_count }, (_, i) => person(i)),
};

/**
 * @param {number} i
 * @returns {Person}
 */
function person(i) {
  const family_name = `Example ${i}`;
  return {
    email: `person${i}@example.com`,
    password: `a long enough password ${i}`,
    claims: { name: `Jo ${family_name}`, given_name: 'Jo', family_name },
  };
}

/** @param {string} issuer @param {string} dir */
function setupOf(issuer, dir) {
  const client_secret = randomBytes(32).toString('base64url');
  return {
    ...common,
    ...{ issuer, dir },
    clients: [
      { name: 'app', client_secret, first_party: true, resource: common.resource },
      { name: 'profile', client_secret, first_party: false, resource: null },
    ],
  };
}

/**
 * Our server as it is built in dist/, on a new database with people and clients in it.
 * @param {string} dir a folder that is there
 * @param {readonly string[]} [node_options] for a profile
 * @returns {Promise<Server>}
 */
export async function createSallyport(dir, node_options = []) {
  const home = join(dir, `sallyport-${randomBytes(4).toString('hex')}`);
  await mkdir(home);
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const database = join(home, 'sallyport.sqlite');
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    SALLYPORT_ISSUER: issuer,
    SALLYPORT_DATABASE_URL: `sqlite:${database}`,
    SALLYPORT_KEYS_DIR: join(home, 'keys'),
    SALLYPORT_LOG_LEVEL: 'warn',
    SALLYPORT_STATUS_LIST_TTL_SECONDS: String(status_list_ttl),
    SALLYPORT_ACCESS_TOKEN_SECONDS: '3600', // those for userinfo are used for minutes
    // Raised, never off: all sign-ins come from one address (decisions 13).
    SALLYPORT_ATTEMPTS_PER_ACCOUNT: '100000',
    SALLYPORT_ATTEMPTS_PER_SOURCE: '100000',
    SALLYPORT_ATTEMPTS_UNKNOWN_SOURCES: '100000',
  };
  const setup_file = await writeSetup(home, issuer);
  const seed = fileURLToPath(new URL('./seed_sallyport.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [seed, setup_file], { cwd: home, env });
  /** @type {Record<ClientName, ClientCredentials>} */
  const clients = JSON.parse(stdout);

  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const args = [...node_options, join(root, 'dist/main.js'), 'serve'];
  return {
    ...common,
    name: 'sallyport',
    status_list_ttl,
    version,
    issuer,
    database,
    clients,
    ...processOf({ args, env, cwd: home, issuer }),
  };
}

/**
 * oidc-provider as bench/peers/oidc_provider.js sets it up. It makes its people when it is started for the first time.
 * @param {string} dir a folder that is there
 * @returns {Promise<Server>}
 */
export async function createPeer(dir) {
  const home = join(dir, `peer-${randomBytes(4).toString('hex')}`);
  await mkdir(home);
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const setup_file = await writeSetup(home, issuer);
  const { clients } = JSON.parse(readFileSync(setup_file, 'utf8'));
  const [app, profile] = clients.map((/** @type {{ name: string, client_secret: string }} */ client) => ({
    client_id: client.name,
    client_secret: client.client_secret,
  }));

  const peers = join(root, 'bench/peers');
  const { version } = JSON.parse(
    readFileSync(join(peers, 'node_modules/oidc-provider/package.json'), 'utf8'),
  );
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' };
  const args = [join(peers, 'oidc_provider.js'), setup_file];
  return {
    ...common,
    ...{
      name: 'oidc-provider',
      status_list_ttl: 0,
      version,
      issuer,
      database: join(home, 'peer.sqlite'),
      clients: { app, profile },
    },
    ...processOf({ args, env, cwd: home, issuer }),
  };
}

/** @param {string} home @param {string} issuer */
async function writeSetup(home, issuer) {
  const path = join(home, 'setup.json');
  await writeFile(path, JSON.stringify(setupOf(issuer, home)), { mode: 0o600 });
  return path;
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Starting and stopping of a server.
 * @param {{ readonly args: readonly string[], readonly env: NodeJS.ProcessEnv, readonly cwd: string, readonly issuer: string }} command
 */
function processOf({ args, env, cwd, issuer }) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  /** @type {Endpoints | undefined} */
  let endpoints;
  return {
    async start() {
      const started = performance.now();
      const running = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
      child = running;
      const kill = () => running.kill('SIGKILL');
      process.on('exit', kill); // nothing is left running, however this ends
      running.once('exit', () => process.off('exit', kill));
      let said = '';
      running.stderr.setEncoding('utf8').on('data', (text) => {
        said = (said + text).slice(-4000);
      });
      const metadata = await firstAnswer(issuer + discovery, () => {
        if (running.exitCode !== null) throw new Error(`the server ended at once:\n${said}`);
        if (performance.now() - started > start_patience_ms)
          throw new Error(`the server does not answer:\n${said}`);
      });
      const elapsed = performance.now() - started;
      endpoints = endpointsOf(metadata);
      return elapsed;
    },
    async stop() {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGTERM');
      const patience = setTimeout(() => running.kill('SIGKILL'), stop_patience_ms);
      await ended;
      clearTimeout(patience);
    },
    pid() {
      if (child?.pid === undefined) throw new Error('the server is not running');
      return child.pid;
    },
    endpoints() {
      if (endpoints === undefined) throw new Error('the server was not started');
      return endpoints;
    },
  };
}

/**
 * The JSON of the first 200 at a URL. Asks every 5 ms, so a start is measured to within that.
 * @param {string} url
 * @param {() => void} check throws when it is time to give up
 * @returns {Promise<Record<string, string>>}
 */
async function firstAnswer(url, check) {
  for (;;) {
    const body = await ask(url);
    if (body !== undefined) return JSON.parse(body);
    check();
    await wait(5);
  }
}

/**
 * @param {string} url
 * @returns {Promise<string | undefined>} undefined if nobody listens yet or it is not 200
 */
function ask(url) {
  return new Promise((resolve) => {
    get(url, { agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? body : undefined));
    }).on('error', () => resolve(undefined));
  });
}

/**
 * @param {Record<string, string>} metadata
 * @returns {Endpoints}
 */
function endpointsOf(metadata) {
  const path = (/** @type {string} */ name) => new URL(metadata[name] ?? '').pathname;
  return {
    authorization: path('authorization_endpoint'),
    token: path('token_endpoint'),
    userinfo: path('userinfo_endpoint'),
    jwks: path('jwks_uri'),
    discovery,
  };
}
