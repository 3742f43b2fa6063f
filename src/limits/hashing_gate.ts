/**
 * The gate in front of argon2id: a first-in first-out queue with as many slots as cores, worked off by a process of its own at a
 * lower priority. A flood of sign-ins fills the queue and is then answered 503; it does not slow token issuance. RFC 9106;
 * hardening row 21; decisions 14.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { UserError } from '../oauth/errors.js';

export interface Argon2Options {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

export interface HashingGate {
  /** Whether the password fits the hash. Throws UserError `busy` when the queue is full. */
  verify(hash: string, password: string): Promise<boolean>;
  /** A new hash in PHC string format. Throws UserError `busy` when the queue is full. */
  hash(password: string, options: Argon2Options): Promise<string>;
  /** How many are being hashed or wait. */
  readonly pending: number;
  close(): void;
}

interface Job {
  readonly message: object;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What people are told while the queue is full. */
export function busy(): UserError {
  return new UserError(
    'busy',
    'Too many people are signing in at this moment. Please try again in a few seconds.',
    null,
    3,
  );
}

/** `slots` hash at the same time, `queue` more may wait. The process is started by the first job. */
export function createHashingGate(options: { readonly slots: number; readonly queue: number }): HashingGate {
  const waiting: Job[] = [];
  const running = new Map<number, Job>();
  let child: ChildProcess | undefined;
  let last_id = 0;

  function submit(message: object): Promise<unknown> {
    if (waiting.length >= options.queue) throw busy();
    return new Promise((resolve, reject) => {
      waiting.push({ message, resolve, reject });
      next();
    });
  }

  function next(): void {
    while (running.size < options.slots) {
      const job = waiting.shift();
      if (job === undefined) return;
      last_id += 1;
      running.set(last_id, job);
      const hasher = process();
      hasher.channel?.ref(); // whoever waits for a hash keeps this process alive
      hasher.send({ id: last_id, ...job.message });
    }
  }

  function process(): ChildProcess {
    if (child !== undefined) return child;
    const started = fork(new URL('./hashing_process.js', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    const end = () => {
      if (child === started) ended();
    };
    started.on('message', answered);
    started.on('exit', end);
    // It could not be started, or was killed a moment ago and takes no job. Without a listener this would end the server.
    started.on('error', () => {
      started.kill('SIGKILL');
      end();
    });
    started.unref();
    started.channel?.unref();
    child = started;
    return started;
  }

  function answered(message: unknown): void {
    const { id, result, error } = message as { id: number; result?: unknown; error?: string }; // what hashing_process.js sends
    const job = running.get(id);
    running.delete(id);
    if (error === undefined) job?.resolve(result);
    else job?.reject(new Error(`argon2: ${error}`));
    next();
    if (running.size === 0) child?.channel?.unref();
  }

  /** The process died: what it was hashing fails, what waits goes to a new one. */
  function ended(): void {
    child = undefined;
    const lost = [...running.values()];
    running.clear();
    for (const job of lost) job.reject(new Error('the hashing process ended'));
    next();
  }

  return {
    verify: async (hash, password) => (await submit({ hash, password })) === true,
    hash: async (password, argon2Options) => String(await submit({ password, options: argon2Options })),
    get pending() {
      return waiting.length + running.size;
    },
    close() {
      child?.disconnect();
    },
  };
}
