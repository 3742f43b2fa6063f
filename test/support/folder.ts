/** A folder for one test; removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { scratch } from './scratch.js';

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(scratch(), 'sallyport-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
