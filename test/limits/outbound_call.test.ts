import { describe, expect, test } from 'vitest';
import { createOutbound } from '../../src/limits/outbound.js';
import { hosted, onLoopback } from '../support/outbound.js';
import { serve } from '../support/web_server.js';

const sent = { method: 'POST', headers: { authorization: 'Bearer t' }, body: 'a=1', max_bytes: 10 } as const;

describe('a whole call through the outbound gate', () => {
  test('sends what it is given and gives back status, headers and body as they are', async () => {
    const { url, requests } = await serve((_, response) =>
      response.writeHead(302, { location: 'http://10.0.0.1/', 'x-twice': ['a', 'b'] }).end('moved'),
    );
    const { status, headers, body } = await createOutbound(onLoopback).call({ ...sent, url });
    expect([status, body.toString()]).toEqual([302, 'moved']);
    expect(headers).toEqual(
      expect.arrayContaining([
        ['location', 'http://10.0.0.1/'],
        ['x-twice', 'a'],
        ['x-twice', 'b'],
      ]),
    );
    expect(requests).toMatchObject([
      { method: 'POST', headers: { authorization: 'Bearer t', 'content-length': '3' } },
    ]);
  });

  test('passes the same checks as every other: size and address (hardening 18)', async () => {
    const { url } = await serve((_, response) => response.end('x'.repeat(11)));
    await expect(createOutbound(onLoopback).call({ ...sent, url })).rejects.toThrow('more than 10 bytes');
    await expect(createOutbound(hosted).call({ ...sent, url })).rejects.toThrow('only https');
    const inside = createOutbound({ ...hosted, resolve: async () => ['10.0.0.1'] });
    await expect(inside.call({ ...sent, url: 'https://intra.example/' })).rejects.toThrow(
      'not a public address',
    );
  });
});
