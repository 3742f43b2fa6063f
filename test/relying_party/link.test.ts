import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkOf } from '../../src/relying_party/link.js';

const base = 'https://id.example.com/status-lists/1';
const find = (value: string) => linkOf(new Headers({ link: value }), 'monitor', base);

test.each([
  ['</revocations>; rel="monitor"', 'https://id.example.com/revocations'],
  ['<https://id.example.com/x?a=1,2;b>; rel=monitor', 'https://id.example.com/x?a=1,2;b'],
  ['</next>; rel=next, </m>; rel="up MONITOR"; title="of, it"', 'https://id.example.com/m'],
  ['</m>;title=x;REL = "monitor"', 'https://id.example.com/m'],
  ['</first>; rel=monitor, </second>; rel=monitor', 'https://id.example.com/first'],
  ['<https://[>; rel=monitor, </m>; rel=monitor', 'https://id.example.com/m'],
])('%s names %s (RFC 8288 §3)', (value, url) => {
  expect(find(value)).toBe(url);
});

test.each([
  '',
  '</m>',
  '</m>; rel=next',
  '</m>; title="rel=monitor"',
  '/m; rel=monitor',
  '</m>; rel=monitors',
])('nothing is named by: %s', (value) => {
  expect(find(value)).toBeUndefined();
});

test('whatever the header holds, an absolute address is named or none', () => {
  const part = fc.constantFrom(
    '<',
    '>',
    ';',
    ',',
    '"',
    '=',
    'rel',
    'monitor',
    ' ',
    '/m',
    'https://[',
    'https://b',
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const url = find(parts.join(''));
      expect(url === undefined || URL.canParse(url)).toBe(true);
    }),
  );
});
