/** Where databases of tests lie: nothing of them outlives the run, so none of it has to reach a disk. */
import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const memory = '/dev/shm';
/** Bytes. A container may have 64 MiB there, which the run would fill. */
const enough = 2 ** 30;

/** The folder for temporary files in memory where the system has one with room, else the usual one. Programs may not run from it. */
export function scratch(): string {
  try {
    accessSync(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > enough ? memory : tmpdir();
  } catch {
    return tmpdir(); // another system
  }
}
