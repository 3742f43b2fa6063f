import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOutbound, type OutboundOptions } from '../../src/limits/outbound.js';
import { newAuthority, newCertificate } from '../support/certificates.js';
import { ask, expectRefusedBy } from '../support/outbound.js';
import { certificate, private_key } from '../support/tls.js';

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

  test('an authority of the operator’s is trusted beside those of Node (HTTP-20)', async () => {
    const authority = newAuthority();
    const made = newCertificate({ issuer: authority, san: [['dns', 'files.example']] });
    const { port } = await serveTls({ cert: made.pem, key: made.key_pem });
    const url = `https://files.example:${port}/`;
    await expectRefusedBy(allowed('files.example', {}), url, 'cannot be reached');
    for (const ca of [[authority.pem], [certificate, authority.pem]])
      expect(String((await allowed('files.example', { extra_ca: ca }).fetch({ ...ask, url })).body)).toBe(
        'hello',
      );
    await expectRefusedBy(
      allowed('files.example', { extra_ca: [newAuthority().pem] }),
      url,
      'cannot be reached',
    );
  });

  test('somebody who takes the connection and never shakes hands: five seconds', async () => {
    const { port } = await listening(() => undefined);
    await expectRefusedBy(
      allowed('files.example'),
      `https://files.example:${port}/`,
      /within 5 s|cannot be reached/,
    );
  });

  test('a host on the allow-list may be inside, by its exact name only (HTTP-20)', async () => {
    const { port, names } = await serveTls();
    const outbound = allowed('files.example');
    await expectRefusedBy(outbound, `https://sub.files.example:${port}/`, 'not a public address');
    await expectRefusedBy(outbound, `https://files.example.evil.example:${port}/`, 'not a public address');
    await expectRefusedBy(outbound, `https://127.0.0.1:${port}/`, 'not a public address');
    expect(names).toEqual([]);
  });
});

function allowed(host: string, options: Partial<OutboundOptions> = { extra_ca: [certificate] }) {
  const resolve = async () => ['127.0.0.1'];
  return createOutbound({ loopback: false, allowed_hosts: [host], resolve, ...options });
}

/** A TCP server. */
async function listening(onConnection: (socket: Socket) => void) {
  const server = createTcpServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port };
}

/** A server for files.example; `names` are those it was asked for. */
async function serveTls(identity = { cert: certificate, key: private_key }) {
  const names: (string | false | null)[] = [];
  const server = createServer(identity, (request, response) => {
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
