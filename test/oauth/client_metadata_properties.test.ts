import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { anyText } from '../support/arbitraries.js';
import { refusalOf } from '../support/refusal.js';

const jwk = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };

describe('properties of client metadata', () => {
  const uri = fc.constantFrom(
    ...['https://shop.example/cb', 'https://b.example', 'http://127.0.0.1/cb', 'http://[::1]/'],
    ...['com.example.app:/cb', 'javascript:x', 'https://a@b.example', 'nothing'],
  );
  const uris = fc.array(uri, { maxLength: 3 });
  const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 1, nil: undefined });
  const metadata = fc
    .record({
      client_name: fc.oneof(fc.constant('Shop'), anyText(20)),
      application_type: fc.constantFrom('web', 'native'),
      redirect_uris: uris,
      post_logout_redirect_uris: rarely(uris),
      grant_types: fc.subarray(['authorization_code', 'refresh_token', 'client_credentials']),
      token_endpoint_auth_method: fc.constantFrom('client_secret_basic', 'private_key_jwt', 'none'),
      jwks: rarely(fc.constant({ keys: [jwk] })),
      scope: fc.oneof(fc.constant('openid'), fc.constant(' a  b a '), anyText(10)),
      default_max_age: rarely(fc.integer({ min: -1, max: 100 })),
      require_pkce: rarely(fc.boolean()),
      first_party: rarely(fc.boolean()),
      refresh_token_rotation: rarely(fc.boolean()),
      policy_uri: rarely(uri),
      backchannel_logout_uri: rarely(uri),
      frontchannel_logout_uri: rarely(uri),
      client_uri: rarely(uri),
      default_resource: rarely(uri),
    })
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));
  const allow_loopback_http = fc.boolean();

  test('whatever was accepted is accepted again, and stays as it is', () => {
    let accepted = 0;
    fc.assert(
      fc.property(metadata, allow_loopback_http, (input, allow) => {
        if (refusalOf(() => parseClientMetadata(input, { allow_loopback_http: allow })) !== null) return;
        accepted += 1;
        const parsed = parseClientMetadata(input, { allow_loopback_http: allow });
        const stored: unknown = JSON.parse(JSON.stringify(parsed));
        expect(parseClientMetadata(stored, { allow_loopback_http: allow })).toEqual(parsed);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  test('anything else is refused with invalid_request, never with another throw', () => {
    fc.assert(
      fc.property(fc.anything(), fc.dictionary(anyText(), fc.anything()), (anything, extra) => {
        expect(refusalOf(() => parseClientMetadata(anything, { allow_loopback_http: false }))).toBe(
          'invalid_request',
        );
        const refused = refusalOf(() =>
          parseClientMetadata(
            { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'], ...extra },
            { allow_loopback_http: false },
          ),
        );
        expect([null, 'invalid_request']).toContain(refused);
      }),
      { numRuns: 300 },
    );
  });
});
