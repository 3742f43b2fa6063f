import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createChildQueue } from '../../src/limits/child_queue.js';
import { createPasswordJudge } from '../../src/limits/password_judge.js';
import { UserError } from '../../src/oauth/errors.js';

const execute = promisify(execFile);
const script = new URL('../../src/limits/hashing_process.js', import.meta.url);
const job = { password: 'secret', options: { memoryCost: 1024, timeCost: 1, parallelism: 1 } };

/** The processes of `name` that this one has started, by their ids. */
async function children(name: string): Promise<readonly number[]> {
  const { stdout } = await execute('ps', ['-eo', 'pid=,ppid=,args=']);
  const all = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return all
    .filter(([, parent, ...args]) => Number(parent) === process.pid && args.join(' ').includes(name))
    .map(([pid]) => Number(pid));
}

test('a process that has had nothing to do for a while ends, and the next job starts another', async () => {
  const before = await children('hashing_process');
  const mine = async () => (await children('hashing_process')).filter((pid) => !before.includes(pid));
  const full = () => new Error('full');
  const queue = createChildQueue({ script, name: 'hashing', slots: 1, queue: 4, full, idle_ms: 1 });
  onTestFinished(() => queue.close());
  for (const _ of [1, 2, 3]) {
    expect(await queue.submit(job)).toMatch(/^\$argon2id/);
    expect(queue.pending).toBe(0);
    while ((await mine()).length > 0);
  }
  const many = await Promise.allSettled(Array.from({ length: 20 }, () => queue.submit(job)));
  expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(5); // one in its slot, four that waited
});

test('the judge starts anew when its process is killed, and says so to who was waiting for it', async () => {
  const before = await children('judging_process');
  const judge = createPasswordJudge();
  onTestFinished(() => judge.close());
  const lost = expect(judge.judge('correct horse battery staple', [])).rejects.toThrow(
    'the judging process ended',
  );
  const waiting = judge.judge('password', []);
  for (const pid of await children('judging_process'))
    if (!before.includes(pid)) process.kill(pid, 'SIGKILL');
  await lost;
  expect(await waiting).toBe('common');
});

test('a flood of new passwords is told to come again, as one of sign-ins is (hardening 21)', async () => {
  const judge = createPasswordJudge();
  onTestFinished(() => judge.close());
  const flood = Array.from({ length: 40 }, (_, i) => judge.judge(`correct horse ${i}`, []));
  const outcomes = await Promise.allSettled(flood);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(refused).toHaveLength(40 - 33);
  for (const error of refused) expect(error).toBeInstanceOf(UserError);
  expect(refused[0]).toMatchObject({ code: 'busy', status: 503 });
});
