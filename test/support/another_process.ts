/** What a second process has: its own connections, caches and keys, on the same settings and database. */
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config.js';
import { type Deps, openDeps } from '../../src/deps.js';
import type { TestIdp } from './idp.js';

/** Closed when the test is over. `config` may differ from that of `idp`, as on another machine. */
export async function anotherProcess(idp: TestIdp, config: Config = idp.config): Promise<Deps> {
  const { hashing, log } = idp.deps;
  const deps = await openDeps(config, { clock: idp.now, hashing, log });
  onTestFinished(() => deps.close());
  return deps;
}
