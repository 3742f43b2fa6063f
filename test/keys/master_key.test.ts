import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addFirstMasterKey,
  addMasterKey,
  MasterKeyError,
  masterKeysOf,
  readMasterKeys,
} from '../../src/keys/master_key.js';
import { newKey } from '../../src/secrets.js';
import { newFolder } from '../support/folder.js';

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('a folder of master keys', () => {
  test('is made with mode 0700, its keys with mode 0600, whatever the umask', async () => {
    const folder = join(await newFolder(), 'deep', 'keys');
    const before = process.umask(0);
    try {
      addFirstMasterKey(folder);
      process.umask(0o277);
      addMasterKey(folder);
    } finally {
      process.umask(before);
    }
    expect(await mode(folder)).toBe('700');
    expect(await readdir(folder)).toEqual(['master-0001.key', 'master-0002.key']);
    for (const file of await readdir(folder)) expect(await mode(join(folder, file))).toBe('600');
  });

  test('gets one first key, however often it is asked for', async () => {
    const folder = await newFolder();
    addFirstMasterKey(folder);
    const first = await readFile(join(folder, 'master-0001.key'), 'utf8');
    addFirstMasterKey(folder);
    expect(await readdir(folder)).toEqual(['master-0001.key']);
    expect(await readFile(join(folder, 'master-0001.key'), 'utf8')).toBe(first);
    expect(Buffer.from(first.trim(), 'base64url')).toHaveLength(32);
  });

  test('never loses a key that another process wrote there meanwhile', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'master-0009.key'), `${newKey().toString('base64url')}\n`, { mode: 0o600 });
    addFirstMasterKey(folder);
    addMasterKey(folder);
    expect(await readdir(folder)).toEqual(['master-0009.key', 'master-0010.key']);
  });

  test('may hold other files, and what a killed process left half written', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'README.md'), 'keys');
    await writeFile(join(folder, 'master-0001.key.AbCdEf'), '');
    expect(readMasterKeys(folder)).toBeUndefined();
    addFirstMasterKey(folder);
    expect(readMasterKeys(folder)).toBeDefined();
  });

  test('that is not there holds none', async () => {
    expect(readMasterKeys(join(await newFolder(), 'nothing'))).toBeUndefined();
  });

  test('wraps with its newest key and unwraps with every one', async () => {
    const folder = await newFolder();
    addFirstMasterKey(folder);
    const wrapped = readMasterKeys(folder)?.wrap(Buffer.from('old'), 'row 1') ?? '';
    addMasterKey(folder);
    const both = readMasterKeys(folder);
    expect(both?.unwrap(wrapped, 'row 1').toString()).toBe('old');
    expect(both?.isCurrent(wrapped)).toBe(false);
    expect(both?.isCurrent(both.wrap(Buffer.from('new'), 'row 1'))).toBe(true);
  });

  test('that is no folder is told in a sentence', async () => {
    const path = join(await newFolder(), 'keys');
    await writeFile(path, '');
    const sentence = `The folder of the master key, ${path}, cannot be used (ENOTDIR`;
    expect(() => readMasterKeys(path)).toThrow(sentence);
    expect(() => addFirstMasterKey(join(path, 'below'))).toThrow(MasterKeyError);
  });

  test.each([
    ['its group', 0o640],
    ['everybody', 0o604],
    ['somebody who may write it', 0o620],
    ['everybody and more', 0o777],
  ])('is refused when a key can be touched by %s (decisions 10)', async (_, bits) => {
    const folder = await newFolder();
    addFirstMasterKey(folder);
    const path = join(folder, 'master-0001.key');
    await chmod(path, bits);
    expect(() => readMasterKeys(folder)).toThrow(
      new MasterKeyError(
        `${path} can be read by other users of this machine (mode ${bits.toString(8)}). Say: chmod 600 ${path}`,
      ),
    );
  });

  test.each([
    ['is empty', ''],
    ['is too short', Buffer.alloc(31).toString('base64url')],
    ['is too long', Buffer.alloc(33).toString('base64url')],
    ['is text', 'correct horse battery staple'],
  ])('is refused when a key %s', async (_, text) => {
    const folder = await newFolder();
    const path = join(folder, 'master-0001.key');
    await writeFile(path, text, { mode: 0o600 });
    expect(() => readMasterKeys(folder)).toThrow(
      new MasterKeyError(`${path} does not hold 32 bytes as base64url.`),
    );
  });
});

describe('master keys', () => {
  const [one, other] = [newKey(), newKey()];
  const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));

  test('unwrap what they wrapped, for the row it was wrapped for alone', () => {
    const master = masterKeysOf([one]);
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), (plain, context, elsewhere) => {
        fc.pre(context !== elsewhere);
        const wrapped = master.wrap(plain, context);
        expect(master.unwrap(wrapped, context).equals(plain)).toBe(true);
        expect(() => master.unwrap(wrapped, elsewhere)).toThrow(MasterKeyError);
      }),
    );
  });

  test('name the key that is missing and those that are here, and tell nothing of any', () => {
    const wrapped = masterKeysOf([one]).wrap(Buffer.from('x'), 'row');
    const [id = ''] = wrapped.split('.');
    const sentence = (() => {
      try {
        masterKeysOf([other]).unwrap(wrapped, 'row');
      } catch (error) {
        return error instanceof MasterKeyError ? error.message : 'another error';
      }
      return 'no error';
    })();
    expect(sentence).toMatch(
      new RegExp(`^The database is encrypted under the master key ${id}, but only [\\w-]{8} is here\\.`),
    );
    for (const key of [one, other]) expect(sentence).not.toContain(key.toString('base64url').slice(0, 8));
  });

  test.each([
    ['nothing', ''],
    ['no dot', 'abcdefgh'],
    ['the id alone', `${masterKeysOf([one]).wrap(Buffer.from('x'), 'row').split('.')[0]}.`],
    ['garbage', `${masterKeysOf([one]).wrap(Buffer.from('x'), 'row').split('.')[0]}.AAAA`],
  ])('refuse a wrapped key that is %s', (_, wrapped) => {
    expect(() => masterKeysOf([one]).unwrap(wrapped, 'row')).toThrow(MasterKeyError);
  });

  test('are at least one', () => {
    expect(() => masterKeysOf([])).toThrow(MasterKeyError);
  });
});
