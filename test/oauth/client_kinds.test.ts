/** What follows from a client's metadata for the rest of the server. */
import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { isPublic, originsOf, rotatesRefreshTokens } from '../../src/oauth/client_rules.js';
import { isResource } from '../../src/oauth/resource.js';

const parse = (changes: object) =>
  parseClientMetadata(
    { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'], ...changes },
    { allow_loopback_http: false },
  );

describe('what follows from client metadata', () => {
  test('only a client without a way to authenticate is public (RFC 6749 §2.1)', () => {
    expect(isPublic(parse({ token_endpoint_auth_method: 'none' }))).toBe(true);
    expect(isPublic(parse({}))).toBe(false);
  });

  test.each([
    ['none', undefined, true],
    ['none', false, true],
    ['client_secret_basic', undefined, false],
    ['client_secret_basic', true, true],
  ] as const)(
    'refresh tokens of %s with refresh_token_rotation %s are rotated: %s (RFC 9700 §2.2.2)',
    (...row) => {
      const [token_endpoint_auth_method, refresh_token_rotation, rotated] = row;
      const client = parse({ token_endpoint_auth_method, refresh_token_rotation });
      expect(rotatesRefreshTokens(client)).toBe(rotated);
    },
  );

  test('scripts may call from its origins and from those of its web redirect URIs (decisions 19)', () => {
    const client = parse({
      application_type: 'native',
      redirect_uris: ['https://shop.example:8443/cb?x', 'com.example.app:/cb', 'http://127.0.0.1/cb'],
      allowed_origins: ['https://spa.example'],
    });
    expect(originsOf(client)).toEqual([
      'https://spa.example',
      'https://shop.example:8443',
      'http://127.0.0.1',
    ]);
  });

  test.each([
    ['https://api.example', true],
    ['urn:example:api', true],
    ['https://api.example/a?b', true],
    ['https://api.example/#', false],
    ['api.example', false],
    ['', false],
    ['https://api.example/a b', false],
    [`https://api.example/${'x'.repeat(2048)}`, false],
  ])('%s names a resource server: %s (RFC 8707 §2)', (text, is) => {
    expect(isResource(text)).toBe(is);
  });
});
