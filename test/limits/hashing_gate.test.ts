import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import argon2 from 'argon2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHashingGate } from '../../src/limits/hashing_gate.js';
import { UserError } from '../../src/oauth/errors.js';

const execute = promisify(execFile);
const cheap = { memoryCost: 1024, timeCost: 1, parallelism: 1 };
/** So long that it is never done: the process is killed before. */
const endless = { memoryCost: 65_536, timeCost: 200, parallelism: 1 };

function newGate(options = { slots: 2, queue: 100 }) {
  const gate = createHashingGate(options);
  onTestFinished(() => gate.close());
  return gate;
}

/** The hashing processes that this process has started, by their ids. */
async function hashers(): Promise<number[]> {
  const { stdout } = await execute('ps', ['-eo', 'pid=,ppid=,args=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, ...args]) => Number(parent) === process.pid && args.join(' ').includes('hashing_process'),
    )
    .map(([pid]) => Number(pid));
}

describe('the hashing gate', () => {
  test('computes argon2id: a vector of the reference implementation verifies', async () => {
    // phc-winner-argon2, src/test.c: argon2id v19, t=2, m=2^16, p=1, "password", "somesalt".
    const vector = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const gate = newGate();
    expect(await gate.verify(vector, 'password')).toBe(true);
    expect(await gate.verify(vector, 'passworD')).toBe(false);
  });

  test('hashes with the parameters it is given, a new salt each time, as another library reads it', async () => {
    const gate = newGate();
    const [one, other] = [await gate.hash('secret', cheap), await gate.hash('secret', cheap)];
    expect(one).not.toBe(other);
    for (const hash of [one, other]) {
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=1024,/);
      expect(await argon2.verify(hash, 'secret')).toBe(true);
      expect([await gate.verify(hash, 'secret'), await gate.verify(hash, 'Secret')]).toEqual([true, false]);
    }
  });

  test.each([
    ['no hash', 'secret'],
    ['nothing', ''],
    ['half a hash', '$argon2id$v=19$m=1024'],
  ])('fails one job on %s, and goes on with the next', async (_, hash) => {
    const gate = newGate();
    await expect(gate.verify(hash, 'secret')).rejects.toThrow('argon2');
    expect(await gate.verify(await gate.hash('secret', cheap), 'secret')).toBe(true);
    expect(gate.pending).toBe(0);
  });

  test('works off what waits in the order it came', async () => {
    const gate = newGate({ slots: 1, queue: 100 });
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => gate.hash(`secret ${i}`, cheap).then(() => order.push(i))),
    );
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('lets as many in as it has slots and places to wait, and tells everybody else to come again (decisions 14)', async () => {
    const gate = newGate({ slots: 2, queue: 3 });
    const jobs = Array.from({ length: 20 }, () => gate.hash('secret', cheap));
    expect(gate.pending).toBe(5);
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 5 }, () => 'fulfilled'),
      ...Array.from({ length: 15 }, () => 'rejected'),
    ]);
    const [refused] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toBeInstanceOf(UserError);
    expect(refused).toMatchObject({ code: 'busy', status: 503, retry_after: 3 });
    expect(gate.pending).toBe(0);
    expect(await gate.hash('secret', cheap)).toMatch(/^\$argon2id/); // there is room again
  });

  test('fails what was being hashed when its process dies, and gives what waits to a new one', async () => {
    const before = await hashers();
    const gate = newGate({ slots: 1, queue: 10 });
    const running = gate.hash('secret', endless);
    const waiting = gate.hash('secret', cheap);
    const mine = (await hashers()).filter((pid) => !before.includes(pid));
    expect(mine).toHaveLength(1);
    const failed = expect(running).rejects.toThrow('the hashing process ended');
    for (const pid of mine) process.kill(pid, 'SIGKILL');
    await failed;
    expect(await waiting).toMatch(/^\$argon2id/);
    expect(gate.pending).toBe(0);
  });

  test('ends its process when it is closed', async () => {
    const before = await hashers();
    const gate = createHashingGate({ slots: 1, queue: 1 });
    await gate.hash('secret', cheap);
    const mine = (await hashers()).filter((pid) => !before.includes(pid));
    expect(mine).toHaveLength(1);
    gate.close();
    gate.close(); // twice is once
    while ((await hashers()).some((pid) => mine.includes(pid)));
    expect(gate.pending).toBe(0);
  });
});
