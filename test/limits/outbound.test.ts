import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createOutbound, OutboundError, type OutboundOptions } from '../../src/limits/outbound.js';
import { certificate, private_key } from '../support/tls.js';

const ask = { accept: 'image/png', max_bytes: 1000 };
const publicAddress = '93.184.216.34';

describe('somebody names an address inside (hardening 18, RFC 6890)', () => {
  test.each([
    ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '169.254.169.254',
      '100.64.0.1',
      '192.0.0.8',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
    ],
    ...['0.0.0.0', '0.1.2.3', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['[::]', '[::1]', '[fe80::1]', '[fec0::1]', '[fc00::1]', '[fd12:3456::1]', '[ff02::1]', '[100::1]'],
    ...['[2001:db8::1]', '[2001::1]', '[2002:7f00:1::]', '[64:ff9b::7f00:1]', '[4000::1]'],
    ...['[::ffff:127.0.0.1]', '[::ffff:10.0.0.1]', '[::ffff:a9fe:a9fe]', '[::127.0.0.1]', '[::7f00:1]'],
    ...['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0', '0x7f.1', '127.0.0.1.'],
  ])('as https://%s/', async (host) => {
    await expectRefused(`https://${host}/`, 'not a public address');
  });

  test.each(['localhost', 'LOCALHOST', 'printer.localhost', 'localhost.'])('as https://%s/', async (host) => {
    await expectRefused(`https://${host}/`, /not a public address|does not resolve/);
  });

  test.each([
    ['a private address', ['10.0.0.1']],
    ['a private address behind a public one', [publicAddress, '10.0.0.1']],
    ['a private address before a public one', ['fd00::1', publicAddress]],
    ['IPv4 loopback written as IPv6', ['::ffff:127.0.0.1']],
    ['something that is no address', ['not an address']],
    ['no address', []],
  ])('as a name that resolves to %s', async (_, addresses) => {
    const resolve = async () => addresses;
    await expectRefused('https://evil.example/', /not a public address|has no address/, { resolve });
  });

  test('as a name that does not resolve', async () => {
    await expectRefused('https://sallyport.invalid/', 'does not resolve');
  });

  test('and nothing is connected to', async () => {
    const { port, requests } = await serve((_, response) => response.end('secret'));
    const resolve = async () => ['127.0.0.1'];
    await expectRefused(`https://evil.example:${port}/`, 'not a public address', { resolve });
    await expectRefused(`https://127.0.0.1:${port}/`, 'not a public address');
    expect(requests).toEqual([]);
  });

  test('the operator is told which setting allows it (protocol.md §30.10)', async () => {
    const resolve = async () => ['10.1.2.3'];
    const fetched = createOutbound({ ...hosted, resolve }).fetch({ ...ask, url: 'https://intra.example/' });
    await expect(fetched).rejects.toThrow(
      'intra.example is at 10.1.2.3, which is not a public address; SALLYPORT_OUTBOUND_ALLOWED_HOSTS can allow the host',
    );
  });
});

describe('somebody names a URL of another kind', () => {
  test.each([
    ['http', 'http://files.example/'],
    ['http on loopback, where the issuer is https', 'http://127.0.0.1/'],
    ['ftp', 'ftp://files.example/'],
    ['file', 'file:///etc/passwd'],
    ['data', 'data:image/png;base64,AAAA'],
    ['gopher', 'gopher://127.0.0.1:6379/_FLUSHALL'],
    ['javascript', 'javascript:1'],
  ])('%s', async (_, url) => {
    await expectRefused(url, 'only https');
  });

  test.each([
    'https://user@files.example/',
    'https://:pw@files.example/',
    'https://files.example@127.0.0.1/',
  ])('with a user name: %s', async (url) => {
    await expectRefused(url, 'holds a user name');
  });

  test.each(['', 'files.example', '/path', 'https://', 'https://a b/'])('that is none: %j', async (url) => {
    await expectRefused(url, 'not a URL');
  });
});

describe('a name is resolved once, and what was checked is connected to', () => {
  test('a second look at the name would give another address: nobody takes it (rebinding)', async () => {
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
  test.each([301, 302, 303, 307, 308])('redirects with %i: not followed', async (status) => {
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

  test('sends a byte too much, with or without saying so before', async () => {
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

  test('sends something compressed that would be larger: it is taken as it is', async () => {
    const { url } = await serve((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(Buffer.from([0x1f, 0x8b, 8])),
    );
    expect((await createOutbound(onLoopback).fetch({ ...ask, url })).body).toEqual(
      Buffer.from([0x1f, 0x8b, 8]),
    );
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

  test('never answers, answers byte by byte, or has a name that never resolves: five seconds', async () => {
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

describe('https', () => {
  test('goes to the checked address under the name of the URL, whose certificate must be good', async () => {
    const server = await serveTls();
    const { body } = await allowed('files.example').fetch({
      ...ask,
      url: `https://files.example:${server.port}/`,
    });
    expect([body.toString(), server.names]).toEqual(['hello', ['files.example']]);
  });

  test('a certificate that nobody vouches for is refused', async () => {
    const { port } = await serveTls();
    await expectRefusedBy(
      allowed('files.example', {}),
      `https://files.example:${port}/`,
      /self-signed|unable to verify/,
    );
  });

  test('a certificate of another name is refused', async () => {
    const { port } = await serveTls();
    await expectRefusedBy(allowed('other.example'), `https://other.example:${port}/`, 'cannot be reached');
  });

  test('a host on the allow-list may be inside, still by https and by its exact name only', async () => {
    const { port, names } = await serveTls();
    const outbound = allowed('files.example');
    await expectRefusedBy(outbound, `http://files.example:${port}/`, 'only https');
    await expectRefusedBy(outbound, `https://sub.files.example:${port}/`, 'not a public address');
    await expectRefusedBy(outbound, `https://files.example.evil.example:${port}/`, 'not a public address');
    await expectRefusedBy(outbound, `https://127.0.0.1:${port}/`, 'not a public address');
    expect(names).toEqual([]);
  });
});

const hosted: OutboundOptions = { loopback: false, allowed_hosts: [] };
/** The issuer is a loopback http address itself. */
const onLoopback: OutboundOptions = { loopback: true, allowed_hosts: [] };

function allowed(host: string, options: Partial<OutboundOptions> = { ca: certificate }) {
  const resolve = async () => ['127.0.0.1'];
  return createOutbound({ loopback: false, allowed_hosts: [host], resolve, ...options });
}

async function expectRefused(
  url: string,
  message: string | RegExp,
  options: Partial<OutboundOptions> = {},
): Promise<void> {
  await expectRefusedBy(createOutbound({ ...hosted, ...options }), url, message);
}

async function expectRefusedBy(
  outbound: ReturnType<typeof createOutbound>,
  url: string,
  message: string | RegExp,
): Promise<void> {
  const error = await outbound.fetch({ ...ask, url }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OutboundError);
  expect(String(error)).toMatch(message);
}

async function serve(listener: RequestListener) {
  const requests: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    requests.push({ method, url, headers });
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/`, requests };
}

/** A server for files.example; `names` are those it was asked for. */
async function serveTls() {
  const names: (string | false | null)[] = [];
  const server = createTlsServer({ cert: certificate, key: private_key }, (request, response) => {
    names.push((request.socket as TLSSocket & { servername: string | false | null }).servername);
    response.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, names };
}
