import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { commandsOf } from '../support/cli.js';
import { startIdp } from '../support/idp.js';
import { newKeysFolder } from '../support/keys_folder.js';

async function start(settings = {}) {
  const idp = await startIdp({ settings });
  const published = async () => {
    idp.advance(1); // a running server looks once a second
    const { keys } = (await (await idp.fetch('/jwks')).json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid).toSorted();
  };
  return { idp, published, ...commandsOf(idp) };
}

describe('sallyport keys', () => {
  test('list tells every key and its state', async () => {
    const { idp, json, run } = await start();
    const [key] = await json('keys', 'list');
    expect(key).toEqual({
      kid: expect.stringMatching(/^[\w-]{43}$/),
      use: 'sig',
      alg: 'RS256',
      state: 'active',
      active_at: expect.any(Number),
      retired_at: null,
      expires_at: null,
    });
    idp.advance(1);
    await json('keys', 'rotate');
    const { out } = await run('keys', 'list');
    expect(out).toMatch(/^kid +use +alg +state +active +retired +gone\n/);
    expect(out).toMatch(/ active +\d{4}-\d\d-\d\d \d\d:\d\d UTC +\d{4}-/);
    expect(out).toMatch(/ announced +\d{4}-\d\d-\d\d \d\d:\d\d UTC\n/);
  });

  test('rotate announces a key, which a running server publishes within a second', async () => {
    const { published, json, run } = await start();
    const [old = ''] = await published();
    const { kid } = (await json('keys', 'rotate')).keys[0];
    expect(await published()).toEqual([old, kid].toSorted());
    expect((await run('keys', 'rotate')).out).toMatch(
      /^[\w-]{43} \(RS256\) is announced and takes over soon\.\n$/,
    );
  });

  test('rotate --now lets it sign at once', async () => {
    const { json, run } = await start();
    const { out } = await run('keys', 'rotate', '--now');
    expect(out).toMatch(/^[\w-]{43} \(RS256\) is in use from now on\.\n$/);
    const active = (await json('keys', 'list')).filter(({ state }: { state: string }) => state === 'active');
    expect(active).toMatchObject([{ kid: out.split(' ')[0] }]);
  });

  test('rotate --alg rotates the keys of that algorithm alone, and refuses one that has none', async () => {
    const { idp, json, run } = await start();
    await idp.addClient({ id_token_signed_response_alg: 'ES256' });
    expect((await json('keys', 'rotate')).keys.map(({ alg }: { alg: string }) => alg)).toEqual([
      'RS256',
      'ES256',
    ]);
    const { keys } = await json('keys', 'rotate', '--alg', 'ES256');
    expect(keys).toEqual([{ kid: expect.stringMatching(/^[\w-]{43}$/), alg: 'ES256' }]);
    const none = await run('keys', 'rotate', '--alg', 'ES512');
    expect(none).toEqual({ code: 1, out: '', err: 'There is no key for ES512.\n' });
  });

  test('retire takes a key out, and another in where one must sign', async () => {
    const { published, json, run } = await start();
    const [leaked = ''] = await published();
    const { replaced_by } = await json('keys', 'retire', leaked);
    expect(await published()).toEqual([replaced_by]);
    const { kid } = (await json('keys', 'rotate')).keys[0];
    expect((await run('keys', 'retire', kid)).out).toBe(`${kid} is out.\n`);
    expect(await published()).toEqual([replaced_by]);
  });

  test('retire of none is refused', async () => {
    const { run } = await start();
    expect(await run('keys', 'retire', 'nobody')).toEqual({
      code: 1,
      out: '',
      err: 'There is no signing key nobody.\n',
    });
  });

  test('rewrap makes a new master key and moves all keys to it', async () => {
    const folder = await newKeysFolder();
    const { published, json, run } = await start({ MASTER_KEY: '', KEYS_DIR: folder });
    const before = await published();
    expect(await json('keys', 'rewrap')).toEqual({ rewrapped: 9 });
    expect(await readdir(folder)).toEqual(['master-0001.key', 'master-0002.key']);
    expect(await published()).toEqual(before);
    expect((await run('keys', 'rewrap')).out).toBe(
      '9 keys are wrapped under the newest master key. Older master keys are not needed any more.\n',
    );
  });

  test('never print a private key', async () => {
    const { run } = await start();
    for (const args of [['list'], ['list', '--json'], ['rotate', '--json'], ['rewrap', '--json']]) {
      const { out, err } = await run('keys', ...args);
      expect(out + err).not.toMatch(/"d":|private|_wrapped|[\w-]{100}/);
    }
  });
});
