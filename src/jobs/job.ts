/** What a background job is. Safe to run twice; a lease lets one process of many run it. */
import type { Deps } from '../deps.js';

export interface Job {
  readonly name: string;
  readonly every_seconds: number;
  run(deps: Deps, now: number): Promise<void>;
}
