import { describe, expect, test } from 'vitest';
import { type Environment, readConfig } from '../src/config.js';
import { newAuthority, newCertificate } from './support/certificates.js';
import { noFile, problemsOf } from './support/config.js';

describe('certificates', () => {
  const https = { SALLYPORT_ISSUER: 'https://id.example/a' };
  const own = { ...https, SALLYPORT_TLS_CERT: 'cert.pem', SALLYPORT_TLS_KEY: 'key.pem' };
  const proxied = {
    ...{ ...https, SALLYPORT_TRUSTED_PROXIES: '10.0.0.1' },
    SALLYPORT_CLIENT_CERT_HEADER: 'X-Client-Cert',
  };
  const authorities = `${newAuthority().pem}\n${newAuthority().pem}`;
  const read = (text: string) => () => text;

  test('of this server are two files; what follows from them is none of a proxy’s business', () => {
    expect(readConfig(own, noFile)).toMatchObject({
      tls: { cert: 'cert.pem', key: 'key.pem' },
      sees_client_certificates: false,
      mtls_origin: undefined,
    });
  });

  test.each([
    ['at a port of its own', { ...own, SALLYPORT_MTLS_PORT: '8443' }, 'https://id.example:8443'],
    [
      'at an origin that is told',
      { ...own, SALLYPORT_MTLS_PORT: '8443', SALLYPORT_MTLS_ORIGIN: 'https://mtls.example' },
      'https://mtls.example',
    ],
    [
      'at a proxy’s origin',
      { ...proxied, SALLYPORT_MTLS_ORIGIN: 'https://mtls.example' },
      'https://mtls.example',
    ],
    ['at the issuer’s own', proxied, undefined],
  ])('of clients are seen %s', (_, env, mtls_origin) => {
    expect(readConfig(env, noFile)).toMatchObject({ sees_client_certificates: true, mtls_origin });
  });

  test('of authorities are read, all that a file holds', () => {
    const env = { ...proxied, SALLYPORT_CLIENT_CA: 'ca.pem', SALLYPORT_OUTBOUND_CA: 'ca.pem' };
    const { client_ca, outbound_ca } = readConfig(env, read(authorities));
    expect(client_ca.map(({ subject }) => subject)).toEqual([
      'O=Example\nCN=Example CA',
      'O=Example\nCN=Example CA',
    ]);
    expect(outbound_ca).toEqual(client_ca.map(String));
  });

  test.each<[string, Environment, string]>([
    [
      'a certificate without its key',
      { ...https, SALLYPORT_TLS_CERT: 'c' },
      'TLS_CERT and SALLYPORT_TLS_KEY belong',
    ],
    [
      'a key without its certificate',
      { ...https, SALLYPORT_TLS_KEY: 'k' },
      'TLS_CERT and SALLYPORT_TLS_KEY belong',
    ],
    [
      'a certificate for an http issuer',
      { SALLYPORT_TLS_CERT: 'c', SALLYPORT_TLS_KEY: 'k' },
      'TLS_CERT needs an SALLYPORT_ISSUER that begins with https',
    ],
    [
      'a port for certificates without TLS',
      { ...https, SALLYPORT_MTLS_PORT: '8443' },
      'MTLS_PORT needs SALLYPORT_TLS_CERT',
    ],
    [
      'one port for browsers and certificates',
      { ...own, SALLYPORT_MTLS_PORT: '443' },
      'MTLS_PORT must be another port than that of browsers, 443',
    ],
    [
      'a header that nobody may send (HTTP-21)',
      { ...https, SALLYPORT_CLIENT_CERT_HEADER: 'X-Cert' },
      'CLIENT_CERT_HEADER needs SALLYPORT_TRUSTED_PROXIES',
    ],
    [
      'a header of an http issuer',
      { ...proxied, SALLYPORT_ISSUER: 'http://localhost' },
      'CLIENT_CERT_HEADER needs an',
    ],
    [
      'a header that is no name',
      { ...proxied, SALLYPORT_CLIENT_CERT_HEADER: 'X Cert' },
      'CLIENT_CERT_HEADER must be',
    ],
    [
      'an origin where no certificate arrives',
      { ...own, SALLYPORT_MTLS_ORIGIN: 'https://m.example' },
      'MTLS_ORIGIN needs',
    ],
    [
      'an origin with a path',
      { ...proxied, SALLYPORT_MTLS_ORIGIN: 'https://m.example/' },
      'MTLS_ORIGIN must be an origin',
    ],
    [
      'an origin of http',
      { ...proxied, SALLYPORT_MTLS_ORIGIN: 'http://m.example' },
      'MTLS_ORIGIN must be an origin',
    ],
    [
      'authorities where no certificate arrives',
      { ...https, SALLYPORT_CLIENT_CA: 'ca.pem' },
      'CLIENT_CA needs',
    ],
  ])('refuse %s', (_, env, problem) => {
    expect(problemsOf(env, read(authorities))).toEqual([expect.stringMatching(`^SALLYPORT_${problem}`)]);
  });

  test.each([
    ['no certificate at all', 'text', /CLIENT_CA: ca.pem cannot be used \(it holds no PEM certificate\)/],
    ['a broken one', newAuthority().pem.replace(/\nMI/, '\nXX'), /CLIENT_CA: ca.pem cannot be used/],
    [
      'one of no authority',
      newCertificate().pem,
      /CLIENT_CA holds a certificate that is not one of an authority/,
    ],
  ])('refuse authorities that are %s', (_, text, problem) => {
    expect(problemsOf({ ...proxied, SALLYPORT_CLIENT_CA: 'ca.pem' }, read(text))).toEqual([
      expect.stringMatching(problem),
    ]);
  });
});
