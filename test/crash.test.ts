/**
 * Nothing acknowledged is lost (issue 2): the process is killed with SIGKILL at random moments under load and started again on the
 * same SQLite file. Whatever was answered with success is as it was answered, and nothing that can be used once is used twice.
 * Commands that change keys are killed step by step, and leave keys that work.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { addClient } from '../src/actions/clients.js';
import { ensureKeys } from '../src/actions/keys.js';
import { addUser } from '../src/actions/users.js';
import { readConfig } from '../src/config.js';
import { openDeps, systemClock } from '../src/deps.js';
import { secretContext, signingContext } from '../src/keys/keys.js';
import { openDb } from '../src/store/db.js';
import * as secretKeys from '../src/store/secret_keys.js';
import * as signingKeys from '../src/store/signing_keys.js';
import { statement } from '../src/store/statement.js';
import { type App, Ledger, redeemCode, refreshFamily, workUntilGone } from './support/acknowledged.js';
import { newDatabase } from './support/database.js';
import { runUntil, type Step } from './support/dying_program.js';
import { newFolder } from './support/folder.js';
import { freePort } from './support/free_port.js';
import { password, redirect_uri } from './support/idp.js';
import { newKeysFolder } from './support/keys_folder.js';
import { buildProgram, Program, runProgram } from './support/program.js';

const rounds = 3;
const workers = 6;

let main: string;
beforeAll(async () => {
  main = await buildProgram();
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

/** A database and a folder with its master key, as the program and as this process open them. */
async function prepareKeys() {
  const database = await newDatabase('sqlite');
  onTestFinished(() => database.drop());
  const folder = await newKeysFolder();
  const settings = { DATABASE_URL: database.url, KEYS_DIR: folder, LOG_LEVEL: 'warn' };
  const env = { SALLYPORT_DATABASE_URL: database.url, SALLYPORT_KEYS_DIR: folder };
  const config = readConfig(env, () => '');
  return { options: { cwd: await newFolder(), settings }, config };
}

/** Opens every key there is, as the next command does, and holds the published ones to what they are for. */
async function lookAtKeys(config: ReturnType<typeof readConfig>, earlier: readonly string[]) {
  const deps = await openDeps(config);
  try {
    const now = systemClock();
    await ensureKeys(deps, now);
    const master = deps.masterKeys();
    const signing = await signingKeys.list(deps.db);
    for (const { kid, private_key_wrapped, public_jwk } of signing) {
      const key = master.unwrap(private_key_wrapped, signingContext(kid));
      const opened = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
      expect(opened.export({ format: 'jwk' })).toEqual(JSON.parse(public_jwk));
    }
    const secret = await secretKeys.list(deps.db);
    for (const { id, purpose, key_wrapped } of secret)
      expect(master.unwrap(key_wrapped, secretContext(id, purpose))).toHaveLength(32);

    const ring = await deps.keys.get();
    const published = JSON.parse(ring.published(now).body.toString()) as { keys: { kid: string }[] };
    expect(published.keys.map(({ kid }) => kid).toSorted()).toEqual(signing.map(({ kid }) => kid).toSorted());
    const token = await ring.sign('at+jwt', { sub: 'ada' }, now);
    for (const jwt of [token, ...earlier]) expect(ring.verify('at+jwt', jwt, now)).toBeDefined();
    const wrapped = [
      ...signing.map((row) => row.private_key_wrapped),
      ...secret.map((row) => row.key_wrapped),
    ];
    return {
      token,
      kids: signing.map(({ kid }) => kid).toSorted(),
      under: [...new Set(wrapped.map((text) => text.split('.')[0]))],
      integrity: await deps.db.transaction((trx) => trx.all(check, {})),
    };
  } finally {
    await deps.close();
  }
}

describe.each<readonly [string, readonly string[], readonly (Step & { readonly done?: true })[]]>([
  [
    'a rotation of the signing key',
    ['keys', 'rotate', '--now'],
    [
      { step: 'begin' },
      { step: 'insert into `signing_keys`', during: true },
      { step: 'update `cache_versions`' },
      { step: 'commit' },
      { step: 'print', done: true },
    ],
  ],
  [
    'a move to a new master key',
    ['keys', 'rewrap'],
    [
      { step: 'writeSync' }, // a file with nothing in it
      { step: 'linkSync' }, // a key that has no name yet
      { step: 'unlinkSync' }, // one that has two
      { step: 'begin' },
      { step: 'update `secret_keys`', nth: 2, during: true },
      { step: 'commit' },
      { step: 'print', done: true },
    ],
  ],
])('SIGKILL between two steps of %s', (_, command, steps) => {
  test('leaves all of it done or none, every key opens, signs and verifies, and the next command succeeds', async () => {
    const { options, config } = await prepareKeys();
    let before = await lookAtKeys(config, []);
    const tokens = [before.token];
    for (const { done = false, ...step } of steps) {
      expect(await runUntil(step, main, command, options), step.step).toBe('');
      const after = await lookAtKeys(config, tokens);
      const changed = after.kids.length > before.kids.length || after.under.join() !== before.under.join();
      expect([changed, after.under.length, after.integrity], step.step).toEqual([
        done,
        1,
        [{ integrity_check: 'ok' }],
      ]);
      tokens.push(after.token);
      before = after;
    }

    const { code, err } = await runProgram(main, command, options);
    expect([code, err]).toEqual([0, '']);
    const last = await lookAtKeys(config, tokens);
    expect([last.kids, last.under]).not.toEqual([before.kids, before.under]);
  }, 60_000);
});
