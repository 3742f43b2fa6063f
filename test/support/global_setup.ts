/** Once per run: a migrated SQLite file and a migrated PostgreSQL database, of which each test takes a copy. */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { ensureKeys } from '../../src/actions/keys.js';
import { readConfig } from '../../src/config.js';
import { openDeps } from '../../src/deps.js';
import { newKey } from '../../src/secrets.js';
import { migrateUp } from '../../src/store/migrations.js';
import { startPostgres } from './postgres.js';
import { scratch } from './scratch.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for database files; removed after the run. Holds `template.sqlite`. */
    sqlite_folder: string;
    /** An empty folder where the program finds node_modules, for program.ts; removed after the run. */
    program_folder: string;
    /** The database `postgres` of the server that also holds `template_sallyport`. */
    postgres_url: string;
    /** Wraps the keys that both templates hold, so that no test waits for an RSA key to be made. */
    master_key: string;
  }
}

/** Gives vitest what to call when the run is over. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const master_key = newKey().toString('base64url');
  const [sqlite_folder, postgres] = await Promise.all([migratedFile(master_key), migratedServer(master_key)]);
  project.provide('master_key', master_key);
  project.provide('sqlite_folder', sqlite_folder);
  project.provide('program_folder', await programFolder());
  project.provide('postgres_url', postgres.url);
  return postgres.stop;
}

async function programFolder(): Promise<string> {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/sallyport/', import.meta.url));
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(cache);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true })); // on Ctrl-C too
  return folder;
}

async function migratedFile(master_key: string): Promise<string> {
  const folder = await mkdtemp(join(scratch(), 'sallyport-sqlite-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true })); // on Ctrl-C too
  await prepare(`sqlite:${join(folder, 'template.sqlite')}`, master_key);
  return folder;
}

async function migratedServer(master_key: string) {
  const server = await startPostgres();
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query('create database template_sallyport');
  await client.end();
  const url = new URL(server.url);
  url.pathname = '/template_sallyport';
  await prepare(url.href, master_key);
  return server;
}

/** Tables and keys. */
async function prepare(url: string, master_key: string): Promise<void> {
  await migrateUp(url);
  const settings = { SALLYPORT_DATABASE_URL: url, SALLYPORT_MASTER_KEY: master_key };
  const deps = await openDeps(readConfig(settings, () => ''));
  await ensureKeys(deps, deps.clock());
  await deps.close();
}
