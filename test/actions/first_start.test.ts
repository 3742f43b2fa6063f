import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ensureKeys } from '../../src/actions/keys.js';
import { type Environment, readConfig } from '../../src/config.js';
import { type Deps, openDeps } from '../../src/deps.js';
import { MasterKeyError } from '../../src/keys/master_key.js';
import { newKey } from '../../src/secrets.js';
import { deleteExpired } from '../../src/store/expired.js';
import { migrateUp } from '../../src/store/migrations.js';
import * as secretKeys from '../../src/store/secret_keys.js';
import * as signingKeys from '../../src/store/signing_keys.js';
import { emptyDatabase, engines } from '../support/database.js';
import { newFolder } from '../support/folder.js';

const now = 1_800_000_000;

/** A database with tables and nothing else, and a way to open it as often as a test needs processes. */
async function newServer(engine: (typeof engines)[number]) {
  const database = await emptyDatabase(engine);
  onTestFinished(() => database.drop());
  await migrateUp(database.url);
  const folder = join(await newFolder(), 'keys');
  return {
    folder,
    async process(settings: Environment = {}): Promise<Deps> {
      const env = {
        SALLYPORT_DATABASE_URL: database.url,
        SALLYPORT_KEYS_DIR: folder,
        SALLYPORT_LOG_LEVEL: 'silent',
        ...settings,
      };
      const deps = await openDeps(
        readConfig(env, () => ''),
        { clock: () => now },
      );
      onTestFinished(() => deps.close());
      return deps;
    },
  };
}

async function rows({ db }: Deps) {
  return { signing: await signingKeys.list(db), secret: await secretKeys.list(db) };
}

describe.each(engines)('a first start on %s', (engine) => {
  test('of four processes at once makes one master key and one key of each kind, which all of them use', async () => {
    const { folder, process } = await newServer(engine);
    const all = await Promise.all([process(), process(), process(), process()]);
    await Promise.all(all.map((deps) => ensureKeys(deps, now)));

    expect(await readdir(folder)).toEqual(['master-0001.key']);
    const [first] = all;
    const made = first && (await rows(first));
    expect(made?.signing).toHaveLength(1);
    expect(made?.secret.map(({ purpose }) => purpose).toSorted()).toEqual([...secretKeys.purposes].sort());

    const rings = await Promise.all(all.map((deps) => deps.keys.get()));
    for (const one of rings) {
      const jwt = await one.sign('JWT', { sub: 'u1' }, now);
      const sealed = one.seal('seal', Buffer.from('x'), 'here');
      const mac = one.mac('csrf', 'text');
      for (const other of rings) {
        expect(other.verify('JWT', jwt, now)?.claims).toEqual({ sub: 'u1' });
        expect(other.open('seal', sealed, 'here')?.toString()).toBe('x');
        expect(other.isMac('csrf', 'text', mac)).toBe(true);
      }
    }
  });

  test('is the only one that makes keys', async () => {
    const { folder, process } = await newServer(engine);
    await ensureKeys(await process(), now);
    const master = await readFile(join(folder, 'master-0001.key'), 'utf8');
    const before = await rows(await process());
    const second = await process();
    await ensureKeys(second, now + 1000);
    expect(await rows(second)).toEqual(before);
    expect(await readdir(folder)).toEqual(['master-0001.key']);
    expect(await readFile(join(folder, 'master-0001.key'), 'utf8')).toBe(master);
  });
});

describe('a start where there are keys', () => {
  async function started() {
    const server = await newServer('sqlite');
    const first = await server.process();
    await ensureKeys(first, now);
    return { ...server, first, path: join(server.folder, 'master-0001.key') };
  }

  async function refusal(deps: Deps): Promise<string> {
    try {
      await ensureKeys(deps, now);
    } catch (error) {
      if (error instanceof MasterKeyError) return error.message;
      throw error;
    }
    return 'it started';
  }

  test('and no master key stops with a sentence, and makes none', async () => {
    const { folder, process, first, path } = await started();
    await rm(path);
    const before = await rows(first);
    const deps = await process();
    expect(await refusal(deps)).toBe(`There is no master key in ${folder}.`);
    expect([await readdir(folder), await rows(deps)]).toEqual([[], before]);
  });

  test('and another master key stops with a sentence that names both', async () => {
    const { folder, process, first, path } = await started();
    await writeFile(path, `${newKey().toString('base64url')}\n`);
    const before = await rows(first);
    const deps = await process();
    expect(await refusal(deps)).toMatch(
      /^The database is encrypted under the master key [\w-]{8}, but only [\w-]{8} is here\. Put the right key back\.$/,
    );
    expect([await readdir(folder), await rows(deps)]).toEqual([['master-0001.key'], before]);
  });

  test('and another master key makes nothing new, also where a key of some purpose is missing', async () => {
    const { process, first, path } = await started();
    const [one] = await secretKeys.list(first.db);
    await first.db.transaction((trx) => secretKeys.expire(trx, one?.id ?? '', now - 1_000_000));
    expect((await deleteExpired(first.db, now)).deleted).toBe(1);
    await writeFile(path, `${newKey().toString('base64url')}\n`);
    const before = await rows(first);
    const deps = await process();
    expect(await refusal(deps)).toMatch(/^The database is encrypted under the master key/);
    expect(await rows(deps)).toEqual(before);
  });

  test('makes a key for a purpose that a newer release added', async () => {
    const { process, first } = await started();
    const [one] = await secretKeys.list(first.db);
    await first.db.transaction((trx) => secretKeys.expire(trx, one?.id ?? '', now - 1_000_000));
    await deleteExpired(first.db, now);
    const deps = await process();
    await ensureKeys(deps, now);
    const after = await rows(deps);
    expect(after.signing).toEqual((await rows(first)).signing);
    expect(after.secret.map(({ purpose }) => purpose).toSorted()).toEqual([...secretKeys.purposes].sort());
  });

  test('and a master key that others may read stops, and says which command helps', async () => {
    const { process, path } = await started();
    await chmod(path, 0o644);
    expect(await refusal(await process())).toContain(`Say: chmod 600 ${path}`);
  });

  test('goes on with the master key from the environment in place of the file', async () => {
    const { process, first, path } = await started();
    const MASTER_KEY = (await readFile(path, 'utf8')).trim();
    await rm(path);
    const deps = await process({ SALLYPORT_MASTER_KEY: MASTER_KEY });
    await ensureKeys(deps, now);
    expect(await rows(deps)).toEqual(await rows(first));
  });

  test('never makes a file where the master key comes from the environment', async () => {
    const { folder, process } = await newServer('sqlite');
    await ensureKeys(await process({ SALLYPORT_MASTER_KEY: newKey().toString('base64url') }), now);
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('nothing of a stolen database opens without the master key: no row holds a key in the clear', async () => {
  const { process } = await newServer('sqlite');
  const deps = await process();
  await ensureKeys(deps, now);
  const { signing, secret } = await rows(deps);
  for (const wrapped of [
    ...signing.map((row) => row.private_key_wrapped),
    ...secret.map((row) => row.key_wrapped),
  ]) {
    const bytes = Buffer.from(wrapped.split('.')[1] ?? '', 'base64url');
    expect(bytes.includes(Buffer.from('300d06092a864886f70d010101', 'hex'))).toBe(false); // PKCS #8 of an RSA key
    expect(wrapped).toMatch(/^[\w-]{8}\.[\w-]+$/);
  }
  expect(signing.map((row) => Object.keys(JSON.parse(row.public_jwk)))).toEqual([['kty', 'n', 'e']]);
});
