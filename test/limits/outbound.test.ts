import { text } from 'node:stream/consumers';
import { setImmediate as nextTick } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { createOutbound } from '../../src/limits/outbound.js';
import { ask, expectRefused, hosted, onLoopback } from '../support/outbound.js';
import { serve } from '../support/web_server.js';

describe('a name is resolved once, and what was checked is connected to', () => {
  test('a second look at the name would give another address: nobody takes it (rebinding, HTTP-20)', async () => {
    const { port, requests } = await serve((_, response) => response.end('good'));
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['10.0.0.1']];
    const resolve = vi.fn(async () => answers.shift() ?? []);
    const outbound = createOutbound({ ...onLoopback, resolve });
    const { body } = await outbound.fetch({ ...ask, url: `http://app.localhost:${port}/logo?x=1` });
    expect([body.toString(), resolve.mock.calls]).toEqual(['good', [['app.localhost']]]);
    expect(requests).toMatchObject([
      {
        method: 'GET',
        url: '/logo?x=1',
        headers: { host: `app.localhost:${port}`, accept: 'image/png', 'accept-encoding': 'identity' },
      },
    ]);
  });

  test('nothing of ours goes along: no cookie, no authorization, no referrer', async () => {
    const { port, requests } = await serve((_, response) => response.end());
    await createOutbound(onLoopback).fetch({ ...ask, url: `http://127.0.0.1:${port}/` });
    expect(Object.keys(requests[0]?.headers ?? {}).sort()).toEqual([
      ...['accept', 'accept-encoding', 'connection', 'host', 'user-agent'],
    ]);
  });
});

describe('a server that does not behave', () => {
  test.each([301, 302, 303, 307, 308])('redirects with %i: not followed (HTTP-20)', async (status) => {
    const target = await serve((_, response) => response.end('inside'));
    const { url } = await serve((_, response) =>
      response.writeHead(status, { location: `${target.url}/` }).end(),
    );
    await expectRefused(url, `answered ${status}`, onLoopback);
    expect(target.requests).toEqual([]);
  });

  test.each([201, 204, 206, 400, 401, 404, 500, 503])('answers %i: only 200 counts', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end());
    await expectRefused(url, `answered ${status}`, onLoopback);
  });

  test('sends a byte too much, with or without saying so before (HTTP-20)', async () => {
    for (const headers of [{}, { 'content-length': 1001 }]) {
      const { url } = await serve((_, response) => response.writeHead(200, headers).end('x'.repeat(1001)));
      await expectRefused(url, 'answered more than 1000 bytes', onLoopback);
    }
  });

  test('may send exactly as much as is taken', async () => {
    const { url } = await serve((_, response) =>
      response.setHeader('content-type', 'image/png').end('x'.repeat(1000)),
    );
    const { body, content_type } = await createOutbound(onLoopback).fetch({ ...ask, url });
    expect([body.length, content_type]).toEqual([1000, 'image/png']);
  });

  test('sends without end: it is hung up on', async () => {
    let hungUp = false;
    const { url } = await serve(async (_, response) => {
      response.once('close', () => {
        hungUp = true;
      });
      while (!response.destroyed) {
        response.write('x'.repeat(65_536));
        await nextTick();
      }
    });
    await expectRefused(url, 'answered more than 1000 bytes', onLoopback);
    await vi.waitFor(() => expect(hungUp).toBe(true));
  });

  test('sends a bomb, compressed though it was asked not to: it is taken as it is', async () => {
    const bomb = gzipSync(Buffer.alloc(900_000));
    expect(bomb.length).toBeLessThan(1000);
    const { url, requests } = await serve((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(bomb),
    );
    expect((await createOutbound(onLoopback).fetch({ ...ask, url })).body).toEqual(bomb);
    expect(requests).toMatchObject([{ headers: { 'accept-encoding': 'identity' } }]);
  });

  test('says it is something else than was asked for: its word is passed on, and no more', async () => {
    const { url } = await serve((_, response) => response.setHeader('content-type', 'text/html').end('<p>'));
    const { content_type, body } = await createOutbound(onLoopback).fetch({ ...ask, url });
    expect([content_type, String(body)]).toEqual(['text/html', '<p>']);
  });

  test('sends headers without end, or says again and again that it goes on: it is hung up on', async () => {
    const endless = await serve((request) => {
      request.socket.write('HTTP/1.1 200 OK\r\n');
      const header = `x: ${'x'.repeat(1000)}\r\n`;
      const sending = setInterval(() => request.socket.write(header), 1);
      request.socket.once('close', () => clearInterval(sending));
    });
    const hesitant = await serve((_, response) => {
      const sending = setInterval(() => response.writeProcessing(), 100);
      response.once('close', () => clearInterval(sending));
    });
    await Promise.all([
      expectRefused(endless.url, 'cannot be reached', onLoopback),
      expectRefused(hesitant.url, /within 5 s|cannot be reached/, onLoopback),
    ]);
  });

  test('hangs up, answers no HTTP, or is not there', async () => {
    const rude = await serve((request) => request.socket.destroy());
    await expectRefused(rude.url, 'cannot be reached', onLoopback);
    const garbled = await serve((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'));
    await expectRefused(garbled.url, 'cannot be reached', onLoopback);
    await expectRefused('http://127.0.0.1:1/', 'cannot be reached', onLoopback);
  });

  test('breaks off in the middle of the body', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('x');
      setImmediate(() => response.destroy());
    });
    await expectRefused(url, 'cannot be reached', onLoopback);
  });

  test('never answers, answers byte by byte, or has a name that never resolves: five seconds (HTTP-20)', async () => {
    const silent = await serve(() => undefined);
    const slow = await serve((_, response) => {
      response.writeHead(200).write('x');
      const dripping = setInterval(() => response.write('x'), 500);
      response.once('close', () => clearInterval(dripping));
    });
    const resolve = () => new Promise<never>(() => undefined);
    await Promise.all([
      expectRefused(silent.url, /within 5 s|cannot be reached/, onLoopback),
      expectRefused(slow.url, /within 5 s/, onLoopback),
      expectRefused('https://lost.example/', 'within 5 s', { resolve }),
    ]);
  });
});

describe('a form that is posted', () => {
  const form = { logout_token: 'a.b+c', 'a&b': 'ü=' };

  test('arrives as one, with its length, and with nothing else of ours', async () => {
    const bodies: string[] = [];
    const { url, requests } = await serve(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(204).end();
    });
    expect(await createOutbound(onLoopback).post({ url: `${url}?kept=1`, form })).toBe(204);
    expect(bodies.map((body) => Object.fromEntries(new URLSearchParams(body)))).toEqual([form]);
    expect(requests).toMatchObject([{ method: 'POST', url: '/?kept=1' }]);
    expect(Object.keys(requests[0]?.headers ?? {}).sort()).toEqual([
      ...['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host', 'user-agent'],
    ]);
  });

  test.each([200, 302, 307, 400, 503])(
    'gives the status %i as it is, and follows nothing',
    async (status) => {
      const target = await serve((_, response) => response.end());
      const { url } = await serve((_, response) =>
        response.writeHead(status, { location: target.url }).end(),
      );
      expect(await createOutbound(onLoopback).post({ url, form })).toBe(status);
      expect(target.requests).toEqual([]);
    },
  );

  test.each([
    ['an address inside', 'https://10.0.0.1/', 'not a public address'],
    ['this machine', 'https://127.0.0.1/', 'not a public address'],
    ['http', 'http://files.example/', 'only https'],
    ['a user name', 'https://a@files.example/', 'holds a user name'],
  ])('passes the same checks as what is fetched: not to %s', async (_, url, message) => {
    await expect(createOutbound(hosted).post({ url, form })).rejects.toThrow(message);
  });
});
