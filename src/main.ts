#!/usr/bin/env node
/** The program: parses the command; `serve` runs the identity server. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { ensureKeys } from './actions/keys.js';
import { createApp } from './app.js';
import { announce } from './cli/serve.js';
import type { Start } from './cli/start.js';
import { runCli } from './cli.js';
import { type Config, readConfig } from './config.js';
import { openDeps } from './deps.js';
import { startJobs } from './jobs/scheduler.js';
import { listen } from './server.js';
import { migrateUp, pending } from './store/migrations.js';

const drain_ms = 10_000;
const readText = (path: string) => readFileSync(path, 'utf8');

/** The environment, and a .env file in this folder where it does not say otherwise. */
function config(): Config {
  return readConfig({ ...dotEnv(), ...process.env }, readText);
}

function dotEnv(): Record<string, string | undefined> {
  try {
    return parseEnv(readText('.env'));
  } catch {
    return {}; // there is none
  }
}

async function open(settings: Config) {
  const deps = await openDeps(settings);
  if ((await pending(deps.db)).length > 0) await migrateUp(settings.DATABASE_URL);
  await ensureKeys(deps, deps.clock());
  return deps;
}

const start: Start = {
  config,
  async withDeps(work) {
    const deps = await open(config());
    try {
      return await work(deps);
    } finally {
      await deps.close();
    }
  },
};

async function serve(): Promise<void> {
  const deps = await open(config());
  const server = await listen(createApp(deps), deps.config);
  const jobs = startJobs(deps);
  await announce(deps);
  await signalled();
  await jobs.stop();
  await server.close(drain_ms);
  await deps.close();
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

const { version } = JSON.parse(readText(fileURLToPath(new URL('../package.json', import.meta.url)))) as {
  version: string;
};
process.exitCode = await runCli(process.argv.slice(2), { start, serve, version });
