/** Starts the demo: an identity server with a throw-away database, two apps and an API, all in this process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Koa from 'koa';
import { ensureKeys } from '../actions/keys.js';
import { createApp } from '../app.js';
import { readConfig } from '../config.js';
import { type Deps, openDeps } from '../deps.js';
import { startJobs } from '../jobs/scheduler.js';
import { listen } from '../server.js';
import { migrateUp } from '../store/migrations.js';
import { createApi } from './api.js';
import type { Narrator } from './narrator.js';
import { choosePorts, DemoError, type Place, type Ports, portSettings, type Urls, urlsOf } from './ports.js';
import { createRelyingApp, type RelyingAppOptions } from './relying_app.js';
import { type Credentials, person, scope, seed } from './seed.js';

export interface DemoOptions {
  readonly ports: Ports;
  readonly narrator: Narrator;
}

export interface Demo {
  readonly urls: Urls;
  /** Stops everything and removes the database. Takes a second at most. */
  close(): Promise<void>;
}

/** What is to be undone, the last first. */
type Undo = (() => Promise<void>)[];

const drain_ms = 200;

/** Throws DemoError, a sentence, if a port is taken; then nothing is left behind. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const undo: Undo = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const ports = await choosePorts(options.ports);
    const urls = urlsOf(ports);
    const run: Run = { narrator: options.narrator, ports, urls, undo };
    const deps = await openServer(run);
    await openApps(run, deps);
    return { urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Run extends DemoOptions {
  readonly urls: Urls;
  readonly undo: Undo;
}

/** The identity server, as main.ts starts it, but for its settings: none comes from the environment. */
async function openServer({ narrator, ports, urls, undo }: Run): Promise<Deps> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const settings = {
    SALLYPORT_ISSUER: urls.server,
    SALLYPORT_DATABASE_URL: `sqlite:${join(folder, 'demo.sqlite')}`,
    SALLYPORT_KEYS_DIR: join(folder, 'keys'),
  };
  const config = readConfig(settings, () => '');
  await migrateUp(config.DATABASE_URL);
  const deps = await openDeps(config, { log: narrator.log });
  undo.push(() => deps.close());
  await ensureKeys(deps, deps.clock());
  await openPort(createApp(deps), 'server', { ports, undo });
  const jobs = startJobs(deps);
  undo.push(() => jobs.stop());
  return deps;
}

/** What the server knows is put into it; then the two apps and the API, each of which knows the server by its address alone. */
async function openApps(run: Run, deps: Deps): Promise<void> {
  const { narrator, undo, urls } = run;
  const { user_id, api: credentials, app_a, app_b } = await seed(deps, urls);
  narrator.introduce(user_id, person.email);
  narrator.introduce(app_a.client_id, 'App A');
  narrator.introduce(app_b.client_id, 'App B');

  const report = (step: string) => narrator.tell('API', step);
  const api = createApi({ issuer: urls.server, audience: urls.api, credentials, report });
  undo.push(async () => api.close());
  await openPort(api.app, 'api', run);
  await openPort(createRelyingApp(appOptions(run, 'app_a', app_a)), 'app_a', run);
  await openPort(createRelyingApp(appOptions(run, 'app_b', app_b)), 'app_b', run);
}

const appNames = { app_a: 'App A', app_b: 'App B' } as const;

function appOptions(
  { narrator, urls }: Run,
  look: 'app_a' | 'app_b',
  credentials: Credentials,
): RelyingAppOptions {
  const other = look === 'app_a' ? 'app_b' : 'app_a';
  const name = appNames[look];
  return {
    ...credentials,
    ...{ name, look, scope },
    url: urls[look],
    issuer: urls.server,
    api: urls.api,
    cookie: look,
    other: { name: appNames[other], url: urls[other] },
    report: (step) => narrator.tell(name, step),
  };
}

/** Listens on this machine alone, on both of its addresses: a browser may take either for *.localhost. */
async function openPort(app: Koa, place: Place, { ports, undo }: Pick<Run, 'ports' | 'undo'>): Promise<void> {
  try {
    const listening = await listen(app, { hosts: ['127.0.0.1', '::1'], port: ports[place] });
    undo.push(() => listening.close(drain_ms));
  } catch (error) {
    const sentence = error instanceof Error ? error.message : 'unknown';
    throw new DemoError(sentence.replace('SALLYPORT_PORT', portSettings[place].variable));
  }
}
