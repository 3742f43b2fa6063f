#!/usr/bin/env node
/** The program: parses the command; `serve` runs the identity server. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { ensureKeys } from './actions/keys.js';
import type { Start } from './cli/start.js';
import { runCli } from './cli.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { type Deps, openDeps } from './deps.js';
import type { Listening } from './server.js';
import { dialectOf } from './store/db.js';
import { compareMigrations, migrateUp } from './store/migrations.js';

const drain_ms = 10_000;
/** What the database has to close in, after the requests. */
const close_ms = 1000;
const certificate_ms = 60_000;
const readText = (path: string) => readFileSync(path, 'utf8');

/** The environment, and a .env file in this folder where it does not say otherwise. */
function config(): Config {
  return readConfig({ ...dotEnv(), ...process.env }, readText);
}

function dotEnv(): Record<string, string | undefined> {
  try {
    return parseEnv(readText('.env').replace(/^\uFEFF/, '')); // some editors begin with a byte order mark
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}; // there is none
    throw new ConfigError([`.env cannot be read (${error instanceof Error ? error.message : 'unknown'})`]);
  }
}

const start: Start = {
  config,
  async withDeps(work) {
    const deps = await openDeps(config());
    try {
      const { pending, newer } = await compareMigrations(deps.db);
      if (newer.length > 0)
        deps.log.warn({ newer }, 'a newer server has been at this database: update this one');
      if (pending.length > 0) await migrateUp(deps.config.DATABASE_URL);
      await ensureKeys(deps, deps.clock());
      return await work(deps);
    } finally {
      await deps.close();
    }
  },
};

/** Loads what no other command needs, which is half of all there is. */
async function serve(deps: Deps): Promise<void> {
  const stop = signalled();
  const [{ createApp }, { announce }, { startJobs }, { listen }] = await Promise.all([
    import('./app.js'),
    import('./cli/serve.js'),
    import('./jobs/scheduler.js'),
    import('./server.js'),
  ]);
  const { DATABASE_URL } = deps.config;
  const release = await dialectOf(DATABASE_URL).claim(DATABASE_URL);
  const server = await listen(createApp(deps), deps.config);
  const jobs = startJobs(deps);
  const watch = watchCertificate(deps, server);
  try {
    await announce(deps, server);
    await stop;
  } finally {
    clearInterval(watch);
    setTimeout(() => process.exit(1), drain_ms + close_ms).unref(); // a database that hangs is not waited for
    await Promise.all([server.close(drain_ms), jobs.stop()]);
    await release();
  }
}

/** Takes a renewed certificate into use within a minute, or at once when it is told to by SIGHUP. Without one that changes nothing. */
function watchCertificate({ clock, config, log }: Deps, server: Listening): NodeJS.Timeout | undefined {
  if (config.tls === undefined) {
    if (!process.stderr.isTTY)
      process.on('SIGHUP', () => log.info('told by SIGHUP, and has no certificate to renew'));
    return undefined; // a terminal that is closed ends what runs in it
  }
  const host = new URL(config.ISSUER).hostname;
  const renew = () => void server.renewCertificate({ host, log, now: clock() });
  renew();
  process.on('SIGHUP', renew);
  return setInterval(renew, certificate_ms).unref();
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

const { version } = JSON.parse(readText(fileURLToPath(new URL('../package.json', import.meta.url)))) as {
  version: string;
};
// Whoever read it has gone, `sallyport users list | head -1` say: nobody misses the rest.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exitCode = 1;
});
const code = await runCli(process.argv.slice(2), {
  start,
  serve: () => start.withDeps(serve),
  version,
});
process.exitCode ||= code; // what could not be printed is a failure, too
