/** When the outbox is looked at, how much of it at a time, and what is logged. */
import { describe, expect, test, vi } from 'vitest';
import { signOut } from '../../src/actions/sessions.js';
import { startSender } from '../../src/jobs/outbox.js';
import { listByUser } from '../../src/store/sessions.js';
import { anotherProcess } from '../support/another_process.js';
import { getCode } from '../support/flow.js';
import { senderOf, signInElsewhere, startTold } from '../support/outbox.js';
import { startReceiver } from '../support/receiver.js';

describe('the sender', () => {
  test('looks each second for what other processes put in', async () => {
    const { idp, receiver, end } = await startTold();
    senderOf(await anotherProcess(idp));
    await end();
    expect(receiver.requests).toEqual([]);
    vi.advanceTimersByTime(1000);
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1));
  });

  test('that is stopped waits for what is on its way, and takes nothing more', async () => {
    let answer = () => {};
    const { idp, receiver, end, rows } = await startTold('sqlite', (response) => {
      answer = () => void response.writeHead(200).end();
    });
    const sender = startSender(idp.deps);
    await end();
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1));
    const stopped = sender.stop();
    answer();
    await stopped;
    expect(await rows()).toMatchObject([{ state: 'answered' }]);

    await signInElsewhere(idp);
    await end();
    vi.advanceTimersByTime(5000);
    await sender.flush();
    expect(receiver.requests).toHaveLength(1);
  });

  test('sends one application four at a time, and another at once beside them', async () => {
    const waiting: (() => void)[] = [];
    const { idp, user, receiver, browser } = await startTold('sqlite', (response) => {
      waiting.push(() => void response.writeHead(200).end());
    });
    const other = await startReceiver();
    for (let i = 0; i < 9; i += 1) await signInElsewhere(idp);
    await idp.addClient({ backchannel_logout_uri: other.url }, 'blog');
    await getCode(browser, 'blog');
    for (const session of (await listByUser(idp.db, user.id, idp.now())).toReversed())
      await signOut(idp.deps, session, idp.now()); // that of `browser` comes last
    const flushed = senderOf(idp.deps).flush();
    await vi.waitFor(() => expect([waiting.length, other.requests.length]).toEqual([4, 1]));
    waiting.shift()?.();
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(5));
    receiver.reply = 200;
    for (const go of waiting) go();
    await flushed;
    expect(receiver.requests).toHaveLength(10);
  });

  test('sends sixteen at a time in all', async () => {
    const waiting: (() => void)[] = [];
    const { idp, receiver, browser, end, rows } = await startTold('sqlite', (response) => {
      waiting.push(() => void response.writeHead(200).end());
    });
    for (let i = 0; i < 18; i += 1) {
      await idp.addClient({ backchannel_logout_uri: receiver.url }, `app${i}`);
      await getCode(browser, `app${i}`);
    }
    await end();
    const flushed = senderOf(idp.deps).flush();
    await vi.waitFor(() => expect(waiting).toHaveLength(16));
    expect((await rows()).filter(({ state }) => state === 'queued')).toHaveLength(3);
    receiver.reply = 200;
    for (const go of waiting) go();
    await flushed;
    expect(receiver.requests).toHaveLength(19);
  });

  test('never logs a logout token, and logs a failure for the operator (BCL-01)', async () => {
    const { idp, receiver, end } = await startTold('sqlite', 500);
    await end();
    await senderOf(idp.deps).flush();
    const told = idp.logged.filter(({ fields }) => 'event' in fields && fields.event === 'logout_told');
    expect(told).toMatchObject([{ level: 'warn', fields: { client_id: 'shop', answer: 'answered 500' } }]);
    expect(JSON.stringify(idp.logged)).not.toContain(receiver.logout_tokens[0]);
  });
});
