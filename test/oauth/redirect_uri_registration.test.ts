import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertRedirectUri, isLoopbackHost, matchRedirectUri } from '../../src/oauth/redirect_uri.js';
import { anyText } from '../support/arbitraries.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const web = { allow_loopback_http: false, native: false };
const native = { allow_loopback_http: false, native: true };
const development = { allow_loopback_http: true, native: false };
const everybody = [web, native, development, { allow_loopback_http: true, native: true }];

describe('a redirect URI may be registered', () => {
  test.each([
    ['https', 'https://shop.example/cb', everybody],
    ['https with a query', 'https://shop.example/cb?tenant=1&x', everybody],
    ['https with a port', 'https://shop.example:8443/cb', everybody],
    ['https with an @ in its path', 'https://shop.example/@ada', everybody],
    ['https on this machine', 'https://localhost/cb', everybody],
    ['http on a loopback address, native', 'http://127.0.0.1/cb', [native]],
    ['http on a loopback address, native', 'http://[::1]/cb', [native]],
    ['http on localhost, native', 'http://localhost:3000/cb', [native]],
    ['http on a loopback host, with a loopback issuer', 'http://app-b.localhost:4002/cb', [development]],
    ['a scheme of its own with a dot, native', 'com.example.app:/cb', [native]],
    ['a scheme of its own with an authority, native', 'com.example.app://cb', [native]],
  ])('%s: %s (REG-08)', (_, uri, allowed) => {
    for (const options of allowed) expect(refusalOf(() => assertRedirectUri(uri, options))).toBeNull();
  });

  test.each<[string, string, string, typeof everybody?]>([
    ['http elsewhere', 'http://shop.example/cb', 'is http'],
    ['http that looks like this machine', 'http://localhost.evil.example/cb', 'is http'],
    ['http on a private address', 'http://10.0.0.1/cb', 'is http'],
    ['http on all addresses', 'http://0.0.0.0/cb', 'is http'],
    ['http on loopback for a web client', 'http://127.0.0.1/cb', 'https is required', [web]],
    ['a fragment', 'https://shop.example/cb#', 'has a fragment'],
    ['a fragment with text', 'https://shop.example/cb#x', 'has a fragment'],
    ['a user name', 'https://ada@shop.example/cb', 'has a user name'],
    ['a password', 'https://ada:x@shop.example/cb', 'has a user name'],
    ['an empty user name', 'https://@shop.example/cb', 'has a user name'],
    ['an empty password', 'https://:@shop.example/cb', 'has a user name'],
    ['several @', 'https://a@b@shop.example/cb', 'has a user name'],
    ['a user name in a scheme of its own', 'com.example.app://ada@cb', 'has a user name', [native]],
    ['a wildcard host', 'https://*.shop.example/cb', 'no wildcards'],
    ['a wildcard path', 'https://shop.example/*', 'no wildcards'],
    ['a backslash', 'https://shop.example\\cb', 'no wildcards'],
    ['a space', 'https://shop.example/c b', 'holds a space'],
    ['a line feed', 'https://shop.example/cb\n', 'holds a space, a control character'],
    ['a tab in the scheme', 'java\tscript:alert(1)', 'holds a space, a control character'],
    ['a NUL', 'https://shop.example/\0', 'holds a space, a control character'],
    ['DEL', 'https://shop.example/\x7f', 'holds a space, a control character'],
    ['a letter outside ASCII', 'https://shöp.example/cb', 'outside ASCII'],
    ['a relative path', '/cb', 'not an absolute URI'],
    ['only a host', 'shop.example/cb', 'not an absolute URI'],
    ['nothing', '', 'holds a space'],
    ['no host', 'https://', 'not an absolute URI'],
    ['an impossible port', 'https://shop.example:99999/cb', 'not an absolute URI'],
    ['no slashes, which a browser takes as a path of ours', 'https:shop.example/cb', 'not an absolute URI'],
    ['one slash, which a browser takes as a path of ours', 'https:/shop.example/cb', 'not an absolute URI'],
    ['three slashes', 'https:///shop.example/cb', 'not an absolute URI'],
    ['javascript:', 'javascript:alert(1)', 'has a scheme that runs'],
    ['javascript: in mixed case', 'JaVaScRiPt:alert(1)', 'has a scheme that runs'],
    ['javascript: with slashes', 'javascript://shop.example/%0aalert(1)', 'has a scheme that runs'],
    ['data:', 'data:text/html,x', 'has a scheme that runs'],
    ['vbscript:', 'VBSCRIPT:x', 'has a scheme that runs'],
    ['file:', 'file:///etc/passwd', 'has a scheme that runs'],
    ['blob:', 'blob:https://shop.example/1', 'has a scheme that runs'],
    ['view-source:', 'view-source:https://shop.example/', 'has a scheme that runs'],
    [
      'a scheme of its own for a web client',
      'com.example.app:/cb',
      'has a scheme of its own',
      [web, development],
    ],
    ['a scheme without a dot', 'myapp:/cb', 'needs a scheme with a dot', [native]],
    ['2,049 characters', `https://shop.example/${'x'.repeat(2028)}`, 'longer than 2048'],
  ])('but not with %s: %j (REG-08)', (_, uri, reason, refusing = everybody) => {
    for (const options of refusing) {
      expect(refusalOf(() => assertRedirectUri(uri, options))).toBe('invalid_request');
      expect(descriptionOf(() => assertRedirectUri(uri, options))).toContain(reason);
    }
  });

  test('2,048 characters are not too many', () => {
    const uri = `https://shop.example/${'x'.repeat(2027)}`;
    expect(refusalOf(() => assertRedirectUri(uri, web))).toBeNull();
  });
});

describe('whatever is registered', () => {
  const parts = fc.constantFrom(
    ...['https:', 'http:', '//', '/', '@', '.', '..;/', ':80', '?', '#', '*', '%2e', 'localhost'],
    ...['127.0.0.1', '[::1]', 'shop.example', 'javascript:', 'com.example.app:', 'JAVASCRIPT:', 'ada', '\t'],
  );
  const candidate = fc.oneof(
    fc.array(parts, { maxLength: 8 }).map((list) => list.join('')),
    fc.webUrl({ withQueryParameters: true, withFragments: true, validSchemes: ['http', 'https'] }),
    anyText(),
  );

  test('is an absolute URL on https, on this machine, or of a scheme with a dot, and finds itself', () => {
    fc.assert(
      fc.property(candidate, fc.constantFrom(...everybody), (uri, options) => {
        if (refusalOf(() => assertRedirectUri(uri, options)) !== null) return;
        const { protocol, hostname, username, password, hash } = new URL(uri);
        expect([username, password, hash]).toEqual(['', '', '']);
        expect(uri).toMatch(/^[\x21-\x7e]+$/);
        if (protocol === 'http:') expect(isLoopbackHost(hostname)).toBe(true);
        else if (protocol !== 'https:')
          expect([protocol.includes('.'), options.native]).toEqual([true, true]);
        // where a browser would go that is sent there from a page of ours
        expect(new URL(uri, 'https://id.example/authorize').href).toBe(new URL(uri).href);
        expect(new URL(uri, 'http://localhost:4000/authorize').href).toBe(new URL(uri).href);
        expect(matchRedirectUri([uri], uri, { any_loopback_port: options.native })).toBe(uri);
      }),
      { numRuns: 2000 },
    );
  });
});
