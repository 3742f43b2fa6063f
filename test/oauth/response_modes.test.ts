import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchRedirectUri, type RegisteredRedirectUri } from '../../src/oauth/redirect_uri.js';
import { form_post, fragment, query } from '../../src/oauth/response_modes/index.js';
import { appendQuery } from '../../src/oauth/response_modes/query.js';
import { anyText, parameterText } from '../support/arbitraries.js';

const parameters = fc.dictionary(fc.constantFrom('code', 'state', 'iss', 'error'), parameterText());

describe('response_mode=query (RFC 6749 §4.1.2)', () => {
  test.each([
    ['https://shop.example/cb', 'https://shop.example/cb?code=c&state=s'],
    ['https://shop.example', 'https://shop.example?code=c&state=s'],
    ['https://shop.example/cb?x=1', 'https://shop.example/cb?x=1&code=c&state=s'],
    ['https://shop.example/cb?', 'https://shop.example/cb?code=c&state=s'],
    ['https://shop.example/cb?x=1&', 'https://shop.example/cb?x=1&code=c&state=s'],
    ['https://shop.example/cb?x=%7e&y=A+b', 'https://shop.example/cb?x=%7e&y=A+b&code=c&state=s'],
    ['com.example.app:/cb', 'com.example.app:/cb?code=c&state=s'],
  ])('keeps the query that %s was registered with (RFC 6749 §3.1.2, AUT-05)', (uri, expected) => {
    expect(query.respond(registered(uri), { code: 'c', state: 's' })).toEqual({ redirect: expected });
  });

  test('without parameters the URI stays as it is', () => {
    expect(appendQuery('https://shop.example/cb', {})).toBe('https://shop.example/cb');
  });

  test.each([
    ['a space and a plus', 'a b+c', 'a+b%2Bc'],
    ['what ends a parameter', '&state=evil#x', '%26state%3Devil%23x'],
    ['line feeds', 'a\r\nSet-Cookie: x=1', 'a%0D%0ASet-Cookie%3A+x%3D1'],
    ['letters outside ASCII', 'ü', '%C3%BC'],
  ])('%s cannot break out', (_, state, encoded) => {
    expect(appendQuery('https://shop.example/cb', { state })).toBe(
      `https://shop.example/cb?state=${encoded}`,
    );
  });

  test('the client reads what was sent, and nothing goes before the query', () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom('', '?', '?x=1', '?x=1&'), (sent, registeredQuery) => {
        const uri = `https://shop.example/cb${registeredQuery}`;
        const { redirect } = query.respond(registered(uri), sent);
        expect(redirect.startsWith(uri)).toBe(true);
        expect(redirect).toMatch(/^[\x21-\x7e]+$/);
        const { x, ...read } = Object.fromEntries(new URL(redirect).searchParams);
        expect([x, read]).toEqual([registeredQuery.includes('x') ? '1' : undefined, { ...sent }]);
      }),
    );
  });
});

describe('response_mode=form_post (Form Post Response Mode §2)', () => {
  test('posts every parameter, and nothing is in the URI', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText(), anyText()), (sent) => {
        const { form } = form_post.respond(registered('https://shop.example/cb?x=1'), sent);
        expect(form.action).toBe('https://shop.example/cb?x=1');
        expect(form.fields).toEqual(Object.entries(sent).map(([name, value]) => ({ name, value })));
      }),
    );
  });
});

describe('response_mode=fragment (OAuth 2.0 Multiple Response Type Encoding Practices §2.1)', () => {
  test('the client reads what was sent behind the #, and nothing goes into the query', () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom('', '?x=1'), (sent, registeredQuery) => {
        const uri = `https://shop.example/cb${registeredQuery}`;
        const { redirect } = fragment.respond(registered(uri), sent);
        const { hash, origin, pathname, search } = new URL(redirect);
        expect(origin + pathname + search).toBe(uri);
        expect(redirect).toMatch(/^[\x21-\x7e]+$/);
        expect(Object.fromEntries(new URLSearchParams(hash.slice(1)))).toEqual({ ...sent });
      }),
    );
  });
});

function registered(uri: string): RegisteredRedirectUri {
  const found = matchRedirectUri([uri], uri, { any_loopback_port: false });
  if (found === undefined) throw new Error(`${uri} does not match itself`);
  return found;
}
