/** Master keys in a folder, as an operator keeps them, for a server of startIdp: its first file is the run's own master key. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { newFolder } from './folder.js';

/** A folder whose one key opens the databases that tests get. As a setting: `{ KEYS_DIR: folder, MASTER_KEY: '' }`. */
export async function newKeysFolder(): Promise<string> {
  const folder = await newFolder();
  await writeFile(join(folder, 'master-0001.key'), `${inject('master_key')}\n`, { mode: 0o600 });
  return folder;
}
