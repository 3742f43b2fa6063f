import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import type { FaultOptions } from '../../src/oauth/client_metadata_faults.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const good = { client_name: 'Batch', grant_types: ['client_credentials'] };
const tls = { token_endpoint_auth_method: 'tls_client_auth' };
const jwks = { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] };

const parse = (changes: object, options: Partial<FaultOptions> = {}) =>
  parseClientMetadata({ ...good, ...changes }, { allow_loopback_http: false, ...options });

describe('client metadata on certificates (RFC 8705 §2.1.2, §2.2.2)', () => {
  test.each([
    ['a subject', { ...tls, tls_client_auth_subject_dn: 'CN=a,O=b\\, c,C=DE' }],
    ['a host name', { ...tls, tls_client_auth_san_dns: 'a.example' }],
    ['a URI', { ...tls, tls_client_auth_san_uri: 'spiffe://example/a' }],
    ['an IPv4 address', { ...tls, tls_client_auth_san_ip: '192.0.2.1' }],
    ['an IPv6 address', { ...tls, tls_client_auth_san_ip: '2001:db8::1' }],
    ['an e-mail address', { ...tls, tls_client_auth_san_email: 'batch@example.com' }],
    ['its keys', { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks }],
  ])('may name the certificate by %s (CLA-11)', (_, members) => {
    expect(parse(members)).toMatchObject(members);
  });

  test.each<[string, object, string]>([
    [
      'tls_client_auth without a name',
      tls,
      'tls_client_auth needs exactly one of tls_client_auth_subject_dn',
    ],
    [
      'two names',
      { ...tls, tls_client_auth_subject_dn: 'CN=a', tls_client_auth_san_dns: 'a.example' },
      'tls_client_auth needs exactly one of',
    ],
    [
      'a name for another method',
      { tls_client_auth_san_dns: 'a.example' },
      'tls_client_auth_san_dns: belongs to',
    ],
    [
      'self_signed_tls_client_auth without keys',
      { token_endpoint_auth_method: 'self_signed_tls_client_auth' },
      'self_signed_tls_client_auth needs the public keys',
    ],
    ...[
      ['tls_client_auth_subject_dn', 'O="a, b"'],
      ['tls_client_auth_san_dns', '*.example'],
      ['tls_client_auth_san_uri', 'batch'],
      ['tls_client_auth_san_ip', '010.1'],
      ['tls_client_auth_san_email', 'batch'],
    ].map(([member = '', name = '']): [string, object, string] => [
      `${name} as ${member}`,
      { ...tls, [member]: name },
      `${member}: is not such a name`,
    ]),
  ])('is refused with %s (CLA-11)', (_, changes, reason) => {
    expect(refusalOf(() => parse(changes))).toBe('invalid_request');
    expect(descriptionOf(() => parse(changes))).toContain(reason);
  });

  test('is refused with a method for which this server has no settings', () => {
    const options = { token_endpoint_auth_methods: ['client_secret_basic'] };
    expect(descriptionOf(() => parse({ ...tls, tls_client_auth_san_dns: 'a.example' }, options))).toContain(
      'tls_client_auth needs the settings for certificates of clients',
    );
    expect(refusalOf(() => parse({}, options))).toBe(null);
  });
});

describe('what this server asks over http', () => {
  const hosts: Partial<FaultOptions> = { http_hosts: ['intra.example'] };

  test.each(['jwks_uri', 'logo_uri', 'backchannel_logout_uri'])(
    '%s may be at a host of the allow-list',
    (member) => {
      const faults = (url: string, options = hosts) => refusalOf(() => parse({ [member]: url }, options));
      expect(faults('http://intra.example/x')).toBe(null);
      expect(faults('http://intra.example:8080/x')).toBe(null);
      expect(faults('http://intra.example/x', {})).toBe('invalid_request');
      expect(faults('http://other.example/x')).toBe('invalid_request');
      expect(faults('http://x.intra.example/x')).toBe('invalid_request');
      expect(faults('http://a@intra.example/x')).toBe('invalid_request');
    },
  );

  test.each(['client_uri', 'policy_uri', 'tos_uri'])('%s may not: browsers go there', (member) => {
    expect(refusalOf(() => parse({ [member]: 'http://intra.example/x' }, hosts))).toBe('invalid_request');
  });
});
