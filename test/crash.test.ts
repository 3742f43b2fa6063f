/**
 * Nothing acknowledged is lost (issue 2): the process is killed with SIGKILL at random moments under load and started again on the
 * same SQLite file. Whatever was answered with success is as it was answered, and nothing that can be used once is used twice.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { addClient } from '../src/actions/clients.js';
import { addUser } from '../src/actions/users.js';
import { readConfig } from '../src/config.js';
import { openDeps, systemClock } from '../src/deps.js';
import { openDb } from '../src/store/db.js';
import { statement } from '../src/store/statement.js';
import { type App, Ledger, redeemCode, refreshFamily, workUntilGone } from './support/acknowledged.js';
import { newDatabase } from './support/database.js';
import { newFolder } from './support/folder.js';
import { freePort } from './support/free_port.js';
import { password, redirect_uri } from './support/idp.js';
import { buildProgram, Program } from './support/program.js';

const rounds = 4;
const workers = 6;

let main: string;
beforeAll(async () => {
  main = await buildProgram('crash');
});

/** A database with a person and a client, and the settings by which the program serves it. */
async function prepare() {
  const database = await newDatabase('sqlite');
  onTestFinished(() => database.drop());
  const port = await freePort();
  const settings = {
    ISSUER: `http://127.0.0.1:${port}`,
    HOST: '127.0.0.1',
    DATABASE_URL: database.url,
    MASTER_KEY: inject('master_key'),
    CODE_SECONDS: '600',
    LOG_LEVEL: 'warn',
    ARGON2_MEMORY_KIB: '7168',
    ARGON2_PASSES: '1',
    ATTEMPTS_PER_ACCOUNT: '1000', // a sign-in that a crash cut off stays counted
    ATTEMPTS_PER_SOURCE: '1000',
    ATTEMPTS_UNKNOWN_SOURCES: '1000',
  };
  const env = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`SALLYPORT_${name}`, value]),
  );
  const deps = await openDeps(readConfig(env, () => ''));
  const now = systemClock();
  const ada = { email: 'ada@example.com', email_verified: true, roles: [], claims: {}, password };
  await addUser(deps, ada, now);
  const metadata = {
    client_name: 'Shop',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    first_party: true,
    refresh_token_rotation: true,
    refresh_grace_seconds: 60,
  };
  const { client, client_secret } = await addClient(deps, metadata, now);
  await deps.close();
  const app: App = { url: settings.ISSUER, client_id: client.client_id, client_secret: client_secret ?? '' };
  return { database, settings, app, cwd: await newFolder() };
}

async function isSignedIn(ledger: Ledger, app: App): Promise<boolean[]> {
  const signedIn = ledger.browsers.filter((browser) => browser.cookies.has('sallyport_session'));
  return Promise.all(
    signedIn.map(async (browser) => (await browser.get(`${app.url}/`)).html.includes('ada@example.com')),
  );
}

const userinfo = async (app: App, token: string) =>
  (await fetch(`${app.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;

/** Holds the server to all that it said. What ends something comes last. */
async function expectKept(app: App, ledger: Ledger): Promise<void> {
  expect(ledger.faults).toEqual([]);
  const { codes, families } = ledger;
  const inState = (state: string) => codes.filter((entry) => entry.state === state).map(({ code }) => code);
  expect(new Set(await isSignedIn(ledger, app))).toEqual(new Set([true]));

  const fresh = await Promise.all(inState('fresh').map((code) => redeemCode(app, code)));
  expect(fresh.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
  const access = await Promise.all(families.map(({ access_token }) => userinfo(app, access_token)));
  expect(access.filter((status) => status !== 200)).toEqual([]);
  const refreshed = await Promise.all(families.map(({ token }) => refreshFamily(app, token)));
  expect(refreshed.map(({ body }) => body.error_description).filter(Boolean)).toEqual([]);

  const sent = await Promise.all(inState('sent').map((code) => redeemCode(app, code)));
  for (const { status, body } of sent) expect([200, 'invalid_grant']).toContain(body.error ?? status);
  const spent = await Promise.all(inState('spent').map((code) => redeemCode(app, code)));
  expect(spent.map(({ body }) => body.error).filter((error) => error !== 'invalid_grant')).toEqual([]);
  const replaced = await Promise.all(
    families.flatMap(({ older }) => older).map((token) => refreshFamily(app, token)),
  );
  expect(replaced.map(({ body }) => body.error).filter((error) => error !== 'invalid_grant')).toEqual([]);
}

const check = statement<object, { integrity_check: string }>((sql) => sql.raw('pragma integrity_check'));

test('every code, refresh token and session that was answered outlives SIGKILL, and none is spent twice', async () => {
  const { database, settings, app, cwd } = await prepare();
  let ledger: Ledger | null = null;
  for (let round = 0; round <= rounds; round += 1) {
    const server = new Program(main, ['serve'], { cwd, settings });
    await server.said('listening on');
    if (ledger) await expectKept(app, ledger);
    ledger = new Ledger();
    const busy = ledger.after(workers + Math.random() * 40);
    const work = Array.from({ length: workers }, () => workUntilGone(app, ledger ?? new Ledger()));
    await busy;
    await wait(Math.random() * 20); // at any point of a request, not only where one has just been answered
    server.child.kill('SIGKILL');
    await Promise.all([...work, server.exit]);
    expect(ledger.answers).toBeGreaterThanOrEqual(workers);
    expect(server.err).toBe('');
  }

  const db = await openDb(database.url);
  onTestFinished(() => db.close());
  expect(await db.transaction((trx) => trx.all(check, {}))).toEqual([{ integrity_check: 'ok' }]);
}, 60_000);
