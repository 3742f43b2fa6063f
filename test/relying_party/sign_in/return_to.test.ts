/** Where a sign-in may lead: a path of the app, and nowhere else. RFC 9700 §4.11.1. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { localPath } from '../../../src/relying_party/sign_in/return_to.js';
import { app_origin, locationOf, startSignInApp } from '../../support/sign_in.js';

const attempts = [
  'https://attacker.example/',
  '//attacker.example',
  '///attacker.example',
  '/\\attacker.example',
  '\\\\attacker.example',
  '\\/attacker.example',
  '/\t/attacker.example',
  '/\n/attacker.example',
  '\t//attacker.example',
  ' //attacker.example',
  ' https://attacker.example',
  '/.//attacker.example',
  '/..//attacker.example',
  '/a/..//attacker.example',
  '/%2e//attacker.example',
  '/%2e%2e//attacker.example',
  '/a\\..\\b',
  'javascript:alert(1)',
  'data:text/html,x',
  'https:attacker.example',
  'https:/attacker.example',
  '@attacker.example',
  '.attacker.example',
  'orders',
  '',
  '\u0000/orders',
  '/orders\r\nset-cookie: a=b',
  `/${'x'.repeat(1024)}`,
  `/${'ä'.repeat(400)}`,
  `${app_origin}/orders`,
];

test.each(attempts)('return_to=%j is not followed', async (return_to) => {
  expect(localPath(return_to, app_origin)).toBeUndefined();
});

test('a sign-in with such a return_to ends at home', async () => {
  const { visitor } = await startSignInApp({ app: { home: '/start' } });
  const browser = visitor();
  for (const return_to of attempts.slice(0, 12)) {
    const done = await browser.signIn(`?${new URLSearchParams({ return_to })}`);
    expect([return_to, locationOf(done).href]).toEqual([return_to, `${app_origin}/start`]);
  }
});

test('a return_to that is sent twice is refused', async () => {
  const { visitor } = await startSignInApp();
  expect((await visitor().send('/login?return_to=/a&return_to=/b')).status).toBe(400);
});

test.each([
  ['/', '/'],
  ['/orders?page=2#last', '/orders?page=2#last'],
  ['/a/../b', '/b'],
  ['/search?q=//host', '/search?q=//host'],
  ['/path:with@signs', '/path:with@signs'],
  ['/größe', '/gr%C3%B6%C3%9Fe'],
])('return_to=%j leads to %j', (return_to, path) => {
  expect(localPath(return_to, app_origin)).toBe(path);
});

describe('whatever is asked for', () => {
  test('a browser stays on the app (BCP-01)', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '\n',
      ' ',
      'x',
      'https:',
      '%5c',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = localPath(pieces.join(''), app_origin);
        if (path === undefined) return;
        // As a browser reads it in a Location, alone and behind the origin.
        expect(new URL(path, app_origin).origin).toBe(app_origin);
        expect(new URL(app_origin + path).origin).toBe(app_origin);
      }),
      { numRuns: 2000 },
    );
  });
});
