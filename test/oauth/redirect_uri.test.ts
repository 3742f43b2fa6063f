import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopbackHost, matchRedirectUri, redirectUriKind } from '../../src/oauth/redirect_uri.js';
import { anyText } from '../support/arbitraries.js';
import { tamperedRedirectUris, untamperedRedirectUri } from '../support/redirect_uris.js';

const web = { any_loopback_port: false };
const native = { any_loopback_port: true };

describe('a requested redirect URI (RFC 9700 §4.1.3, hardening 1–5)', () => {
  const registered = ['https://other.example/', untamperedRedirectUri];

  test.each([web, native])('that equals a registered one is found as it was requested', (options) => {
    for (const uri of registered) expect(matchRedirectUri(registered, uri, options)).toBe(uri);
  });

  test.each(tamperedRedirectUris)('that %s is not found (AUT-04, BCP-01)', (_, requested) => {
    for (const options of [web, native])
      expect(matchRedirectUri(registered, requested, options)).toBeUndefined();
  });

  test('is never found among none', () => {
    expect(matchRedirectUri([], 'https://shop.example/cb', native)).toBeUndefined();
  });

  test('is not learned: a second look finds no more than the first', () => {
    expect(matchRedirectUri(registered, 'https://new.example/cb', web)).toBeUndefined();
    expect(matchRedirectUri(registered, 'https://new.example/cb', web)).toBeUndefined();
  });
});

describe('the port of a loopback redirect URI (RFC 8252 §7.3)', () => {
  test.each([
    ['http://127.0.0.1/cb', 'http://127.0.0.1:51004/cb'],
    ['http://127.0.0.1:80/cb', 'http://127.0.0.1:51004/cb'],
    ['http://127.0.0.1:51004/cb', 'http://127.0.0.1/cb'],
    ['http://[::1]/cb?x=1', 'http://[::1]:65535/cb?x=1'],
    ['http://localhost:3000/', 'http://localhost:1/'],
    ['http://127.0.0.1', 'http://127.0.0.1:51004'],
  ])('registered %s, a native client comes back on %s (AUT-04)', (registered, requested) => {
    expect(matchRedirectUri([registered], requested, native)).toBe(requested);
    expect(matchRedirectUri([registered], requested, web)).toBeUndefined();
  });

  test.each([
    ['the path is another', 'http://127.0.0.1:51004/cb/'],
    ['the path is in capitals', 'http://127.0.0.1:51004/CB'],
    ['there is no path', 'http://127.0.0.1:51004'],
    ['a query is added', 'http://127.0.0.1:51004/cb?x=1'],
    ['a fragment is added', 'http://127.0.0.1:51004/cb#x'],
    ['the host is another name of this machine', 'http://localhost:51004/cb'],
    ['the host is another address of this machine', 'http://127.0.0.2:51004/cb'],
    ['the host is the same address in IPv6', 'http://[::ffff:127.0.0.1]:51004/cb'],
    ['the host is written as a number', 'http://2130706433:51004/cb'],
    ['the host is written short', 'http://127.1:51004/cb'],
    ['the host goes on', 'http://127.0.0.1.evil.example/cb'],
    ['the host goes on behind the port', 'http://127.0.0.1:51004.evil.example/cb'],
    ['the port is a password', 'http://127.0.0.1:51004@evil.example/cb'],
    ['there is a user name', 'http://x@127.0.0.1:51004/cb'],
    ['the scheme is https', 'https://127.0.0.1:51004/cb'],
    ['the scheme is in capitals', 'HTTP://127.0.0.1:51004/cb'],
    ['the port is empty', 'http://127.0.0.1:/cb'],
    ['the port is a word', 'http://127.0.0.1:http/cb'],
    ['the port has a sign', 'http://127.0.0.1:+80/cb'],
    ['the port has six digits', 'http://127.0.0.1:123456/cb'],
    ['there is no such port', 'http://127.0.0.1:65536/cb'],
    ['a line feed follows', 'http://127.0.0.1:51004/cb\n'],
  ])('any port is good, but not when %s (AUT-04)', (_, requested) => {
    expect(matchRedirectUri(['http://127.0.0.1/cb'], requested, native)).toBeUndefined();
  });

  test.each(['https://shop.example/cb', 'http://shop.localhost/cb', 'com.example.app://127.0.0.1/cb'])(
    'is no exception for %s',
    (registered) => {
      const requested = registered.replace(/(?<=[a-z1])\/cb/, ':8080/cb');
      expect(requested).toContain(':8080/cb');
      expect(matchRedirectUri([registered], requested, native)).toBeUndefined();
    },
  );
});

describe('properties of the matcher', () => {
  const registered = [
    'https://shop.example/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:3000/cb?x=1',
    'http://localhost',
    'com.example.app:/cb',
  ];

  /** A registered URI with something put in, taken out or replaced at one place, or two. */
  const edited = fc
    .tuple(
      fc.constantFrom(...registered),
      fc.array(
        fc.tuple(fc.nat(40), fc.nat(3), fc.oneof(anyText(4), fc.constantFrom(':1', ':80', '@', '/'))),
        {
          maxLength: 2,
        },
      ),
    )
    .map(([uri, edits]) =>
      edits.reduce((text, [at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed), uri),
    );

  test.each([web, native])(
    'a match is equal, or differs in the port of a native loopback URI: %j (AUT-04, BCP-01)',
    (options) => {
      fc.assert(
        fc.property(fc.oneof(edited, anyText()), (requested) => {
          if (matchRedirectUri(registered, requested, options) === undefined) {
            expect(registered).not.toContain(requested);
            return;
          }
          if (registered.includes(requested)) return;
          expect(options).toBe(native);
          const url = new URL(requested);
          expect([url.protocol, isLoopbackHost(url.hostname), url.username, url.hash]).toEqual([
            'http:',
            true,
            '',
            '',
          ]);
          const withoutPort = (uri: string) => uri.replace(/^(http:\/\/[^/]*?)(:\d+)?(\/|$)/, '$1$3');
          expect(registered.map(withoutPort)).toContain(withoutPort(requested));
        }),
        { numRuns: 2000 },
      );
    },
  );
});

describe('what kind of address a redirect URI is (RFC 8252 §8.6)', () => {
  test.each([
    ['https://shop.example/cb', 'https'],
    ['http://127.0.0.1/cb', 'loopback'],
    ['com.example.app:/cb', 'custom_scheme'],
    ['https.example:/cb', 'custom_scheme'],
  ])('%s: %s', (uri, kind) => {
    expect(redirectUriKind(uri)).toBe(kind);
  });

  test.each(['localhost', 'a.localhost', 'a.b.localhost', '127.0.0.1', '127.255.1.2', '[::1]'])(
    '%s is this machine (decisions 15)',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  test.each([
    '',
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    '128.0.0.1',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::2]',
    'x127.0.0.1',
  ])('%j is another one', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});
