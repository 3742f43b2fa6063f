/**
 * The gate in front of argon2id: a first-in first-out queue with as many slots as cores, worked off by a process of its own at a
 * lower priority. A flood of sign-ins fills the queue and is then answered 503; it does not slow token issuance. RFC 9106;
 * hardening row 21; decisions 14.
 */
import { UserError } from '../oauth/errors.js';
import { createChildQueue } from './child_queue.js';

export interface Argon2Options {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

export interface HashingGate {
  /**
   * Whether the password fits the hash. `alongside`: for a hash of another kind than argon2, one of argon2 that is checked at the same
   * time, so that the answer comes no sooner than usual. Throws UserError `busy` when the queue is full.
   */
  verify(hash: string, password: string, alongside?: string): Promise<boolean>;
  /** A new hash in PHC string format. Throws UserError `busy` when the queue is full. */
  hash(password: string, options: Argon2Options): Promise<string>;
  /** How many are being hashed or wait. */
  readonly pending: number;
  close(): void;
}

/** What people are told while the queue is full. */
export function busy(): UserError {
  return new UserError('busy', 'login.busy', null, 3);
}

/** `slots` hash at the same time, `queue` more may wait. The process is started by the first job. */
export function createHashingGate(options: { readonly slots: number; readonly queue: number }): HashingGate {
  const script = new URL('./hashing_process.js', import.meta.url);
  const jobs = createChildQueue({ script, name: 'hashing', full: busy, ...options });
  return {
    verify: async (hash, password, alongside) => (await jobs.submit({ hash, password, alongside })) === true,
    hash: async (password, argon2Options) => String(await jobs.submit({ password, options: argon2Options })),
    get pending() {
      return jobs.pending;
    },
    close: jobs.close,
  };
}
