/** How much the outbound gate does at a time. Hardening row 18. */
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createOutbound } from '../../src/limits/outbound.js';
import { createOutboundRoom } from '../../src/limits/outbound_room.js';
import { ask, onLoopback } from '../support/outbound.js';
import { serve } from '../support/web_server.js';

describe('who makes this server ask slow hosts', () => {
  test('gets 32 requests of one host under way, no more; others are asked, and it is again when they are over', async () => {
    const held: ServerResponse[] = [];
    const slow = await serve((_, response) => void held.push(response));
    const answer = () => {
      for (const response of held.splice(0)) response.end('late');
    };
    const quick = await serve((_, response) => response.end('at once'));
    const outbound = createOutbound(onLoopback);
    const from = ({ url }: { url: string }) =>
      outbound.fetch({ ...ask, url }).then(({ body }) => body.toString());

    const waiting = Array.from({ length: 32 }, () => from(slow));
    await expect(from(slow)).rejects.toThrow('too many requests are under way already');
    expect(await from(quick)).toBe('at once');
    await expect.poll(() => slow.requests.length).toBe(32);
    answer();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['late']));
    const again = from(slow);
    await expect.poll(() => slow.requests.length).toBe(33);
    answer();
    expect(await again).toBe('late');
  });

  test('gets 128 requests under way in all', () => {
    const room = createOutboundRoom();
    const leave = Array.from({ length: 128 }, (_, i) => room.enter(`host-${i}.example`));
    expect(() => room.enter('one-more.example')).toThrow('too many requests are under way already');
    leave[0]?.();
    expect(() => room.enter('one-more.example')).not.toThrow();
  });

  test('frees the place of a request that failed', async () => {
    const outbound = createOutbound(onLoopback);
    const url = 'http://127.0.0.1:1/';
    for (let times = 0; times < 40; times += 1)
      await expect(outbound.fetch({ ...ask, url })).rejects.toThrow('cannot be reached');
  });
});
