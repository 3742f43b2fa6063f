/**
 * The master key, under which everything secret in the database is wrapped: 32 random bytes in `keys/master-0001.key`, or
 * SALLYPORT_MASTER_KEY. Several may be there while moving to a new one: the newest wraps, all of them unwrap.
 */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { decrypt, digest, encrypt, newId, newKey } from '../secrets.js';

export interface MasterKeys {
  /** Encrypts a key for the database. `context` names the row, so that a wrapped key cannot be moved to another. */
  wrap(plain: Buffer, context: string): string;
  /** Opens what `wrap` made. Throws MasterKeyError naming the master key that is missing, or saying that it does not fit. */
  unwrap(wrapped: string, context: string): Buffer;
  /** Whether it was wrapped under the newest master key. */
  isCurrent(wrapped: string): boolean;
}

/** A sentence for the operator: the server does not start. */
export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

interface MasterKey {
  /** The first 8 characters of its digest: names it without telling anything of it. */
  readonly id: string;
  readonly key: Buffer;
}

const fileName = /^master-(\d{4})\.key$/;

/** Puts master keys together, the one that wraps first. */
export function masterKeysOf(keys: readonly Buffer[]): MasterKeys {
  const named: readonly MasterKey[] = keys.map((key) => ({
    id: digest(key.toString('base64url')).slice(0, 8),
    key,
  }));
  const newest = named[0];
  if (newest === undefined) throw new MasterKeyError('there is no master key');
  return {
    wrap: (plain, context) => `${newest.id}.${encrypt(newest.key, plain, context)}`,
    unwrap(wrapped, context) {
      const [id = '', sealed = ''] = wrapped.split('.');
      const master = named.find((candidate) => candidate.id === id);
      if (master === undefined) {
        const here = named.map((candidate) => candidate.id).join(', ');
        throw new MasterKeyError(
          `The database is encrypted under the master key ${id}, but only ${here} is here. Put the right key back.`,
        );
      }
      const plain = decrypt(master.key, sealed, context);
      if (plain === undefined)
        throw new MasterKeyError(
          `A key in the database (${context}) does not open under the master key ${id}: it was changed.`,
        );
      return plain;
    },
    isCurrent: (wrapped) => wrapped.startsWith(`${newest.id}.`),
  };
}

/**
 * Reads the master keys of a folder; undefined if there is none yet. Throws MasterKeyError if it is no folder, if others on this machine
 * can read one, or if a file is not 32 bytes as base64url.
 */
export function readMasterKeys(folder: string): MasterKeys | undefined {
  const files = masterKeyFiles(folder);
  if (files.length === 0) return undefined;
  return masterKeysOf(files.map((file) => readKeyFile(join(folder, file))).reverse());
}

function masterKeyFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return inFolder(folder, () => readdirSync(folder))
    .filter((file) => fileName.test(file))
    .sort();
}

function inFolder<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { message } = error as Error; // of node:fs
    throw new MasterKeyError(`The folder of the master key, ${folder}, cannot be used (${message}).`);
  }
}

function readKeyFile(path: string): Buffer {
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) {
    throw new MasterKeyError(
      `${path} can be read by other users of this machine (mode ${(mode & 0o777).toString(8)}). Say: chmod 600 ${path}`,
    );
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
  if (key.length !== 32) throw new MasterKeyError(`${path} does not hold 32 bytes as base64url.`);
  return key;
}

/** Makes the first master key of a folder, unless there is one, also where another process is about to make it. */
export function addFirstMasterKey(folder: string): void {
  if (masterKeyFiles(folder).length > 0) return;
  try {
    writeKeyFile(folder, 1);
  } catch (error) {
    if (masterKeyFiles(folder).length === 0) throw error; // else another process was faster, and its key is as good
  }
}

/** Makes the next master key of a folder, mode 0600, never over an existing file. It is on disk when this returns. */
export function addMasterKey(folder: string): void {
  const last = Number(fileName.exec(masterKeyFiles(folder).at(-1) ?? '')?.[1] ?? 0);
  writeKeyFile(folder, last + 1);
}

/** The file gets its name when all of it is written: nobody reads half a key, whenever this process is killed. */
function writeKeyFile(folder: string, number: number): void {
  if (!existsSync(folder)) inFolder(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const path = join(folder, `master-${String(number).padStart(4, '0')}.key`);
  const unnamed = `${path}.${newId()}`;
  const file = openSync(unnamed, 'wx', 0o600);
  try {
    writeSync(file, `${newKey().toString('base64url')}\n`);
    fchmodSync(file, 0o600); // whatever the umask made of it
    fsyncSync(file);
    linkSync(unnamed, path); // unlike rename, never over an existing file
  } finally {
    closeSync(file);
    unlinkSync(unnamed);
  }
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
