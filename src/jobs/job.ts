/** What a background job is. Safe to run twice; a lease lets one process of many run it. */
import type { Deps } from '../deps.js';

export interface Job {
  readonly name: string;
  readonly every_seconds: number;
  /** Runs when the server starts, too, behind its back. */
  readonly at_start?: true;
  /** Where it takes long, it looks at `stopping` and ends early: the next run goes on with the rest. */
  run(deps: Deps, now: number, stopping: AbortSignal): Promise<void>;
}
