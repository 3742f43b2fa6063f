/**
 * Work for a process apart: a first-in first-out queue in front of a script that answers one message with one. What is slow runs there,
 * at a lower priority, and a flood of it fills the queue and is then refused; the process that issues tokens goes on. Design §1.8.
 */
import { type ChildProcess, fork } from 'node:child_process';

export interface ChildQueueOptions {
  /** Plain JavaScript, so that it can be forked from src/ and from dist/ alike. Answers `{ id, result }` or `{ id, error }`. */
  readonly script: URL;
  /** Names the process where one of its jobs fails with it. */
  readonly name: string;
  /** How many jobs it is given at the same time, and how many more may wait. */
  readonly slots: number;
  readonly queue: number;
  /** What is thrown when the queue is full. */
  readonly full: () => Error;
  /** After how long without a job the process ends, and gives its memory back. Undefined: never. */
  readonly idle_ms?: number;
}

export interface ChildQueue {
  /** The script's answer. Throws what `full` gives when the queue is full. */
  submit(message: object): Promise<unknown>;
  /** How many are worked on or wait. */
  readonly pending: number;
  close(): void;
}

interface Job {
  readonly message: object;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The process is started by the first job, and again by the first one after it ended. */
export function createChildQueue(options: ChildQueueOptions): ChildQueue {
  const waiting: Job[] = [];
  const running = new Map<number, Job>();
  let child: ChildProcess | undefined;
  let last_id = 0;
  let idle: NodeJS.Timeout | undefined;

  async function submit(message: object): Promise<unknown> {
    if (waiting.length >= options.queue) throw options.full();
    return new Promise((resolve, reject) => {
      waiting.push({ message, resolve, reject });
      next();
    });
  }

  function next(): void {
    while (running.size < options.slots) {
      const job = waiting.shift();
      if (job === undefined) return;
      clearTimeout(idle);
      last_id += 1;
      running.set(last_id, job);
      const worker = process();
      worker.channel?.ref(); // whoever waits for an answer keeps this process alive
      worker.send({ id: last_id, ...job.message });
    }
  }

  function process(): ChildProcess {
    if (child !== undefined) return child;
    const started = fork(options.script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
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
    const { id, result, error } = message as { id: number; result?: unknown; error?: string }; // what the script sends
    const job = running.get(id);
    running.delete(id);
    if (error === undefined) job?.resolve(result);
    else job?.reject(new Error(error));
    next();
    if (running.size > 0) return;
    child?.channel?.unref();
    if (options.idle_ms !== undefined) idle = setTimeout(close, options.idle_ms).unref();
  }

  /** The process died: what it was doing fails, what waits goes to a new one. */
  function ended(): void {
    child = undefined;
    const lost = [...running.values()];
    running.clear();
    for (const job of lost) job.reject(new Error(`the ${options.name} process ended`));
    next();
  }

  function close(): void {
    clearTimeout(idle);
    if (running.size === 0 && child !== undefined) {
      const done = child;
      child = undefined; // so that a job that comes now starts another
      done.disconnect();
    } else child?.disconnect();
  }

  return {
    submit,
    get pending() {
      return waiting.length + running.size;
    },
    close,
  };
}
