import { describe, expect, test } from 'vitest';
import type { Log } from '../../src/deps.js';
import { createOutbound } from '../../src/limits/outbound.js';
import { ask, expectRefused, expectRefusedBy, hosted } from '../support/outbound.js';
import { serve } from '../support/web_server.js';

const publicAddress = '93.184.216.34';

describe('somebody names an address inside (hardening 18, RFC 6890, HTTP-20)', () => {
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

  test('at a name that was public when it was registered, and is looked up anew each time (rebinding)', async () => {
    const { port, requests } = await serve((_, response) => response.end('secret'));
    const answers = [[publicAddress], ['127.0.0.1']];
    const resolve = async () => answers.pop() ?? [];
    await expectRefused(`https://evil.example:${port}/`, '127.0.0.1, which is not a public address', {
      resolve,
    });
    expect(requests).toEqual([]);
  });

  test('the operator is told which setting allows it (protocol.md §30.10)', async () => {
    const resolve = async () => ['10.1.2.3'];
    const fetched = createOutbound({ ...hosted, resolve }).fetch({ ...ask, url: 'https://intra.example/' });
    await expect(fetched).rejects.toThrow(
      'intra.example is at 10.1.2.3, which is not a public address; SALLYPORT_OUTBOUND_ALLOWED_HOSTS can allow the host',
    );
  });

  test.each([
    [
      'https://intra.example/keys?key=1',
      'intra.example',
      'which is not a public address; SALLYPORT_OUTBOUND_ALLOWED_HOSTS can',
    ],
    [
      'http://intra.example:81/',
      'intra.example:81',
      'only https; SALLYPORT_OUTBOUND_ALLOWED_HOSTS can allow the host',
    ],
    ['https://ada:secret@intra.example/', 'intra.example', 'holds a user name'],
    ['nonsense', '', 'not a URL'],
  ])('the log says so for %s, without its query or password', async (url, host, reason) => {
    const warnings: object[] = [];
    const log = { warn: (fields: object) => void warnings.push(fields) } as Pick<Log, 'warn'>;
    const outbound = createOutbound({ ...hosted, log, resolve: async () => ['10.1.2.3'] });
    await expect(outbound.post({ url, form: {} })).rejects.toThrow();
    expect(warnings).toEqual([{ event: 'outbound_refused', host, reason: expect.stringContaining(reason) }]);
  });
});

describe('the operator names a host that may be inside', () => {
  test('it is asked over http as well, wherever it is', async () => {
    const { port, requests } = await serve((_, response) => response.end('inside'));
    const outbound = createOutbound({
      ...hosted,
      allowed_hosts: ['intra.example'],
      resolve: async () => ['127.0.0.1'],
    });
    const { body } = await outbound.fetch({ ...ask, url: `http://INTRA.example:${port}/a` });
    expect([String(body), requests.map(({ url }) => url)]).toEqual(['inside', ['/a']]);
    for (const host of ['sub.intra.example', 'intra.example.evil.example', '127.0.0.1', 'intra.example.'])
      await expectRefusedBy(outbound, `http://${host}:${port}/`, 'only https');
    expect(requests).toHaveLength(1);
  });

  test.each(['127.0.0.1', '::1', '[::1]'])('or an address: %s', async (host) => {
    const outbound = createOutbound({ ...hosted, allowed_hosts: [host] });
    const named = host === '::1' ? '[::1]' : host;
    await expectRefusedBy(outbound, `http://${named}:1/`, 'cannot be reached');
    await expectRefusedBy(outbound, 'http://127.0.0.2:1/', 'only https');
  });

  test('and is not asked in any other way', async () => {
    const outbound = createOutbound({ ...hosted, allowed_hosts: ['intra.example'] });
    await expectRefusedBy(outbound, 'ftp://intra.example/', 'only https');
    await expectRefusedBy(outbound, 'http://a@intra.example/', 'holds a user name');
  });
});

describe('somebody names a URL of another kind (HTTP-20)', () => {
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
