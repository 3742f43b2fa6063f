import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { ensureKeys } from '../../src/actions/keys.js';
import { rewrapKeys } from '../../src/actions/rewrap_keys.js';
import { readConfig } from '../../src/config.js';
import { MasterKeyError } from '../../src/keys/master_key.js';
import { newKey } from '../../src/secrets.js';
import * as secretKeys from '../../src/store/secret_keys.js';
import * as signingKeys from '../../src/store/signing_keys.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import type { TestIdp } from '../support/idp.js';
import { newKeysFolder } from '../support/keys_folder.js';
import { eventsOf, startShop } from '../support/shop.js';

async function masterKeyIds(idp: TestIdp): Promise<string[]> {
  const signing = (await signingKeys.list(idp.db)).map((row) => row.private_key_wrapped);
  const secret = (await secretKeys.list(idp.db)).map((row) => row.key_wrapped);
  return [...new Set([...signing, ...secret].map((wrapped) => wrapped.split('.')[0] ?? ''))];
}

describe.each(engines)('moving to a new master key on %s', (engine) => {
  test('goes on beside a running server, which then needs the old one no more', async () => {
    const folder = await newKeysFolder();
    const settings = { MASTER_KEY: '', KEYS_DIR: folder };
    const { idp, browser, tokens, refresh } = await startShop({ engine, settings });
    const before = await tokens();
    const [old = ''] = await masterKeyIds(idp);

    const operator = await anotherProcess(idp);
    const all = 1 + secretKeys.purposes.length;
    expect(await rewrapKeys(operator, idp.now())).toBe(all);
    expect(await readdir(folder)).toEqual(['master-0001.key', 'master-0002.key']);
    expect(await masterKeyIds(idp)).toEqual([expect.not.stringMatching(old)]);
    expect(await eventsOf(idp, 'keys_rewrapped')).toHaveLength(1);

    await rm(join(folder, 'master-0001.key'));
    idp.advance(1);
    expect((await idp.userinfo(before.access_token)).status).toBe(200);
    expect((await refresh(before.refresh_token)).status).toBe(200);
    expect((await browser.get('/')).html).toContain('ada@example.com');
    await idp.restart();
    expect((await idp.userinfo(before.access_token)).status).toBe(200);
    expect((await browser.get('/')).html).toContain('ada@example.com');
  });
});

describe('rewrap', () => {
  test('a second time wraps everything once more, under a third master key', async () => {
    const folder = await newKeysFolder();
    const { idp } = await startShop({ settings: { MASTER_KEY: '', KEYS_DIR: folder } });
    const all = 1 + secretKeys.purposes.length;
    expect([await rewrapKeys(idp.deps, idp.now()), await rewrapKeys(idp.deps, idp.now())]).toEqual([
      all,
      all,
    ]);
    expect(await readdir(folder)).toHaveLength(3);
    expect(await masterKeyIds(idp)).toHaveLength(1);
  });

  test('takes the first of several master keys of the environment, and wraps only what is under another', async () => {
    const { idp, tokens } = await startShop();
    await tokens();
    const fresh = newKey().toString('base64url');
    const moving = readConfig(
      {
        SALLYPORT_ISSUER: idp.issuer,
        SALLYPORT_DATABASE_URL: idp.config.DATABASE_URL,
        SALLYPORT_MASTER_KEY: `${fresh},${inject('master_key')}`,
      },
      () => '',
    );
    const deps = await anotherProcess(idp, moving);
    await ensureKeys(deps, idp.now());
    expect(await rewrapKeys(deps, idp.now())).toBe(1 + secretKeys.purposes.length);
    expect(await rewrapKeys(deps, idp.now())).toBe(0);
    const moved = await anotherProcess(idp, { ...moving, MASTER_KEY: [fresh] });
    await ensureKeys(moved, idp.now());
    expect((await moved.keys.get()).published(idp.now()).etag).toBe(
      (await deps.keys.get()).published(idp.now()).etag,
    );
  });

  test('changes nothing where one key does not open', async () => {
    const folder = await newKeysFolder();
    const { idp } = await startShop({ settings: { MASTER_KEY: '', KEYS_DIR: folder } });
    const before = [await signingKeys.list(idp.db), await secretKeys.list(idp.db)];
    await rename(join(folder, 'master-0001.key'), join(folder, 'lost.key'));
    await expect(rewrapKeys(idp.deps, idp.now())).rejects.toThrow(MasterKeyError);
    expect([await signingKeys.list(idp.db), await secretKeys.list(idp.db)]).toEqual(before);
    expect(await eventsOf(idp, 'keys_rewrapped')).toEqual([]);
  });
});
