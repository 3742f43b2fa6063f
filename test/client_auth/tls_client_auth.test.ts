import { describe, expect, test } from 'vitest';
import { newAuthority, newCertificate, unknown_key, type Wanted } from '../support/certificates.js';
import { basic } from '../support/idp.js';
import { authority, clientCert, escaped, startBehindProxy, startWithTls } from '../support/mtls.js';

const grant = { grant_type: 'client_credentials', client_id: 'batch' };
const subject = [{ C: 'DE' }, { O: 'Batch, Inc.' }, { CN: 'batch' }];
const tls_client_auth_subject_dn = 'CN=batch,O=Batch\\, Inc.,C=DE';
const good = newCertificate({ issuer: authority, subject });
const registered = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'tls_client_auth' };

const year_2026 = 1_767_225_600;
const refused = [401, 'invalid_client'];

/** The answer to a request with this certificate, of a client that is registered with these members. */
async function ask(wanted: Wanted, members: object = { tls_client_auth_subject_dn }) {
  const idp = await startBehindProxy();
  await idp.addClient({ ...registered, ...members }, 'batch');
  const { status, body } = await idp.token(
    grant,
    escaped(newCertificate({ issuer: authority, subject, ...wanted })),
  );
  return [status, body.error];
}

describe('tls_client_auth (RFC 8705 §2.1)', () => {
  test.each<[string, Wanted, object]>([
    ['subject (RFC 4514)', {}, { tls_client_auth_subject_dn }],
    [
      'subject, written with spaces',
      {},
      { tls_client_auth_subject_dn: 'cn=batch, O=Batch\\2c Inc. , 2.5.4.6=DE' },
    ],
    [
      'host name, in any case',
      { san: [['dns', 'Batch.example']] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    [
      'URI',
      {
        san: [
          ['dns', 'a.example'],
          ['uri', 'spiffe://example/batch,1'],
        ],
      },
      { tls_client_auth_san_uri: 'spiffe://example/batch,1' },
    ],
    ['IPv4 address', { san: [['ip', '192.0.2.1']] }, { tls_client_auth_san_ip: '192.0.2.1' }],
    ['IPv6 address', { san: [['ip', '2001:db8:0:0:0:0:0:1']] }, { tls_client_auth_san_ip: '2001:DB8::1' }],
    [
      'e-mail address',
      { san: [['email', 'batch@example.com']] },
      { tls_client_auth_san_email: 'batch@example.com' },
    ],
  ])('takes a certificate of the authority with the registered %s (CLA-11)', async (_, wanted, members) => {
    expect(await ask(wanted, members)).toEqual([200, undefined]);
  });

  test.each<[string, Wanted, object?]>([
    ['another subject', { subject: [{ C: 'DE' }, { O: 'Batch, Inc.' }, { CN: 'other' }] }],
    ['a subject of more parts', { subject: [...subject, { OU: 'x' }] }],
    ['a subject in the other order', { subject: subject.toReversed() }],
    ['no subject', { subject: [] }],
    ['its subject in a host name', { subject: [{ CN: 'x' }], san: [['dns', tls_client_auth_subject_dn]] }],
    [
      'a host name below it',
      { san: [['dns', 'x.batch.example']] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    ['a wildcard', { san: [['dns', '*.example']] }, { tls_client_auth_san_dns: 'batch.example' }],
    [
      'a host name that holds another one',
      { san: [['dns', 'evil.example, DNS:batch.example']] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    [
      'a NUL behind the host name',
      { san: [['dns', 'batch.example\0.evil.example']] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    [
      'the host name as its common name',
      { subject: [{ CN: 'batch.example' }] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    [
      'the name in another kind',
      { san: [['uri', 'batch.example']] },
      { tls_client_auth_san_dns: 'batch.example' },
    ],
    [
      'a URI in another case',
      { san: [['uri', 'https://batch.example/A']] },
      { tls_client_auth_san_uri: 'https://batch.example/a' },
    ],
    ['another address', { san: [['ip', '192.0.2.2']] }, { tls_client_auth_san_ip: '192.0.2.1' }],
    ['the address as a host name', { san: [['dns', '192.0.2.1']] }, { tls_client_auth_san_ip: '192.0.2.1' }],
    [
      'another e-mail address',
      { san: [['email', 'Batch@example.com']] },
      { tls_client_auth_san_email: 'batch@example.com' },
    ],
    ['an end in the past', { to: year_2026 }],
    ['a beginning in the future', { from: 4_000_000_000 }],
    ['another authority of the same name', { issuer: newAuthority() }],
    ['no authority but itself', { issuer: { key: good.key, subject: authority.subject } }],
    ['a key of a kind that nobody knows', { spki: unknown_key }],
    ['a usage for servers alone', { usages: ['1.3.6.1.5.5.7.3.1'] }],
  ])('refuses a certificate with %s (CLA-11)', async (_, wanted, members) => {
    expect(await ask(wanted, members)).toEqual(refused);
  });

  test('refuses a request without a certificate, and says so (CLA-11)', async () => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    for (const headers of [{}, { 'x-client-cert': '' }] as Record<string, string>[]) {
      const { status, body } = await idp.token(grant, headers);
      expect([status, body.error, body.error_description]).toEqual([
        ...[401, 'invalid_client'],
        'no client certificate was presented in the TLS handshake',
      ]);
    }
  });

  test('refuses the certificate of A with the client_id of B (CLA-12)', async () => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    await idp.addClient({ ...registered, tls_client_auth_san_dns: 'b.example' }, 'b');
    const { status, body } = await idp.token({ ...grant, client_id: 'b' }, escaped(good));
    expect([status, body.error]).toEqual(refused);
  });

  test('decides by the clock of this server: the same certificate is refused when its time is over', async () => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const short = escaped(newCertificate({ issuer: authority, subject, to: idp.now() + 60 }));
    expect((await idp.token(grant, short)).status).toBe(200);
    idp.advance(61);
    expect((await idp.token(grant, short)).status).toBe(401);
    expect(idp.logged.at(-1)?.fields ?? {}).toMatchObject({ status: 401 });
    expect(idp.logged.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ cause: expect.stringContaining('SALLYPORT_CLIENT_CA') }),
    );
  });

  test('is the only way of its client: a secret, or the name alone, is not (CLA-01)', async () => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const secret = await idp.token(
      { grant_type: 'client_credentials' },
      { ...basic('batch', 'x'), ...escaped(good) },
    );
    expect([secret.status, secret.body.error]).toEqual(refused);
  });

  test('leaves a certificate to other ends where the client proves itself otherwise', async () => {
    const idp = await startBehindProxy();
    const { client_secret } = await idp.addClient({ grant_types: ['client_credentials'] }, 'shop');
    const headers = { ...basic('shop', client_secret), ...escaped(good) };
    expect((await idp.token({ grant_type: 'client_credentials' }, headers)).status).toBe(200);
    const nobody = await idp.token({ ...grant, client_id: 'shop' }, escaped(good));
    expect([nobody.status, nobody.body.error]).toEqual(refused);
  });
});

describe('the header of a proxy (HTTP-21)', () => {
  test('is nothing from anybody else (HTTP-21)', async () => {
    const idp = await startBehindProxy({ TRUSTED_PROXIES: '10.0.0.1' });
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const forged = [{}, { 'x-forwarded-for': '10.0.0.1' }] as Record<string, string>[];
    for (const headers of forged) {
      const { status, body } = await idp.token(grant, { ...escaped(good), ...headers });
      expect([status, body.error]).toEqual(refused);
    }
  });

  test.each<[string, Record<string, string>]>([
    ['no PEM', { 'x-client-cert': 'batch' }],
    ['a percent sign that stands alone', { 'x-client-cert': '%' }],
    [
      'two certificates',
      {
        'x-client-cert': `${escaped(good)['x-client-cert']}, ${escaped(good)['x-client-cert']}`,
      },
    ],
    ['PEM that is cut off', { 'x-client-cert': escaped(good)['x-client-cert'].slice(0, 300) }],
    ['another header’s', clientCert(good)],
  ])('that holds %s authenticates nobody', async (_, headers) => {
    const idp = await startBehindProxy();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const { status, body } = await idp.token(grant, headers);
    expect([status, body.error]).toEqual(refused);
  });

  test('may be Client-Cert with its chain, and is then a byte sequence (RFC 9440)', async () => {
    const idp = await startBehindProxy({ CLIENT_CERT_HEADER: 'Client-Cert' });
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const middle = newAuthority({ subject: [{ CN: 'Middle' }], issuer: authority });
    const leaf = newCertificate({ issuer: middle, subject });
    const statusOf = async (headers: Record<string, string>) => (await idp.token(grant, headers)).status;
    expect(await statusOf(clientCert(good))).toBe(200);
    expect(await statusOf(clientCert(leaf, [middle]))).toBe(200);
    expect(await statusOf(clientCert(leaf, [authority, middle]))).toBe(200);
    expect(await statusOf(clientCert(leaf))).toBe(401);
    for (const text of [
      good.der.toString('base64'),
      `:${good.der.toString('base64')}`,
      '::',
      ':?:',
      ':AAAA:',
    ])
      expect(await statusOf({ 'client-cert': text })).toBe(401);
    expect(await statusOf({ 'client-cert-chain': clientCert(good)['client-cert'] })).toBe(401);
  });
});

describe('TLS that ends here', () => {
  test('shows the certificate at the port that asks for one, with what leads to the authority (MTL-03)', async () => {
    const { idp, port, post } = await startWithTls();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const middle = newAuthority({ subject: [{ CN: 'Middle' }], issuer: authority });
    const leaf = newCertificate({ issuer: middle, subject });
    const statusOf = async (...[shown, at, along]: [typeof good | null, number?, (typeof good)[]?]) =>
      (await post('/token', grant, shown, at, along)).status;
    expect(await statusOf(good)).toBe(200);
    expect(await statusOf(leaf, undefined, [middle])).toBe(200);
    expect(await statusOf(leaf, undefined, [authority, middle])).toBe(200);
    expect(await statusOf(leaf)).toBe(401);
    expect(await statusOf(null)).toBe(401);
    expect(await statusOf(newCertificate({ subject }))).toBe(401);
    expect(await statusOf(good, port)).toBe(401); // where browsers are, nobody is asked
  });

  test('also at the revocation and introspection endpoints', async () => {
    const { idp, post } = await startWithTls();
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    const { body } = await post('/token', grant, good);
    const form = { client_id: 'batch', token: body.access_token };
    expect((await post('/introspect', form, good)).body).toMatchObject({ active: true, client_id: 'batch' });
    expect((await post('/introspect', form, null)).status).toBe(401);
    expect((await post('/revoke', form, good)).status).toBe(200);
    expect((await post('/introspect', form, good)).body).toEqual({ active: false });
  });

  test('believes no header, whoever sends it (HTTP-21)', async () => {
    const { idp } = await startWithTls({ TRUSTED_PROXIES: '127.0.0.1' });
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    expect((await idp.token(grant, { ...escaped(good), ...clientCert(good) })).status).toBe(401);
  });

  test('leaves the word to a proxy that is trusted: its own certificate is not the client’s', async () => {
    const { idp, post } = await startWithTls({
      TRUSTED_PROXIES: '127.0.0.1',
      CLIENT_CERT_HEADER: 'X-Client-Cert',
    });
    await idp.addClient({ ...registered, tls_client_auth_subject_dn }, 'batch');
    expect((await post('/token', grant, good)).status).toBe(401);
  });
});
