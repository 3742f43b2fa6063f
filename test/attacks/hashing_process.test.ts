/** Somebody kills the process that hashes passwords, as the kernel does when memory runs out. Design §1.8; hardening row 21. */
import child_process, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { expect, onTestFinished, test } from 'vitest';
import { createHashingGate } from '../../src/limits/hashing_gate.js';

const options = { memoryCost: 7168, timeCost: 1, parallelism: 1 };

/** Notes every process that is started, until the test is over. */
function watchForks(): readonly ChildProcess[] {
  const started: ChildProcess[] = [];
  const { fork } = child_process;
  const watched = (...args: Parameters<typeof fork>) => {
    const child = fork(...args);
    started.push(child);
    return child;
  };
  child_process.fork = watched as typeof fork;
  syncBuiltinESMExports();
  onTestFinished(() => {
    child_process.fork = fork;
    syncBuiltinESMExports();
  });
  return started;
}

/** Kills a process and waits for its death without a turn of the event loop: nobody here has been told of it yet. */
function killUnnoticed(child: ChildProcess | undefined): void {
  child?.kill('SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
}

test('an attacker who gets the hashing process killed does not take the server with it', async () => {
  const faults: unknown[] = [];
  const note = (error: unknown) => void faults.push(error);
  process.on('uncaughtException', note);
  const started = watchForks();
  const gate = createHashingGate({ slots: 8, queue: 100 });
  onTestFinished(() => {
    gate.close();
    process.off('uncaughtException', note);
  });

  for (let round = 1; round <= 3; round += 1) {
    await gate.hash('warm', options);
    const running = gate.hash('being hashed', options);
    killUnnoticed(started.at(-1));
    const sent = [running, gate.hash('sent to the dead', options), gate.hash('and again', options)];
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([gate.pending, started.length]).toEqual([0, round]);
  }

  expect(await gate.hash('after all that', options)).toMatch(/^\$argon2id\$/);
  expect(faults).toEqual([]);
});
