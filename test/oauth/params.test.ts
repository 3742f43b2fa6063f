import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, parseJsonParams, parseParams } from '../../src/oauth/params.js';
import { anyText, parameterText } from '../support/arbitraries.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const pairs = fc.uniqueArray(fc.tuple(parameterText(), fc.oneof(parameterText(), fc.constant(''))), {
  selector: ([name]) => name,
  maxLength: 20,
});

describe('parameters of a request', () => {
  test('are read as application/x-www-form-urlencoded (RFC 6749 appendix B)', () => {
    const params = parseParams('a=b+c&d=%2B%26%3D&n%C3%A4me=%C3%BC&plain=%f0%9f%9a%aa&e=f=g');
    expect(['a', 'd', 'näme', 'plain', 'e'].map((name) => params.get(name))).toEqual([
      'b c',
      '+&=',
      'ü',
      '🚪',
      'f=g',
    ]);
  });

  test('whatever is encoded comes back as it was', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const params = parseParams(new URLSearchParams(given).toString());
        for (const [name, value] of given) expect(params.get(name)).toBe(value === '' ? undefined : value);
      }),
    );
  });

  test('in whatever order they are sent', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const [sent, turned] = [given, given.toReversed()].map((list) =>
          parseParams(new URLSearchParams(list).toString()),
        );
        for (const [name] of given) expect(turned?.get(name)).toBe(sent?.get(name));
      }),
    );
  });

  test.each(['', '&', '&&&', '=', '=value', 'other=1', 'name', 'name=', 'name=&', '%6eame='])(
    'an absent or empty one counts as absent: %j (RFC 6749 §3.1, HTTP-07)',
    (encoded) => {
      const params = parseParams(encoded);
      expect([params.get('name'), params.has('name'), params.all('name')]).toEqual([undefined, false, []]);
      expect(descriptionOf(() => params.require('name'))).toBe('name is missing');
    },
  );

  test.each(['a=1&a=2', 'a=1&a=1', 'a=1&%61=2', 'a=&a=1', 'a=&a=', 'a&a'])(
    'one that is sent twice is refused: %s (RFC 6749 §3.1, HTTP-06)',
    (encoded) => {
      const params = parseParams(encoded);
      expect([refusalOf(() => params.get('a')), refusalOf(() => params.require('a'))]).toEqual([
        'invalid_request',
        'invalid_request',
      ]);
    },
  );

  test('one that is unknown may be sent twice and be of any length (RFC 6749 §3.1, HTTP-07)', () => {
    expect(parseParams(`x=1&x=2&y=${'y'.repeat(100_000)}&a=1`).get('a')).toBe('1');
  });

  test('names are compared letter by letter', () => {
    const params = parseParams('STATE=1&state%20=2&+state=3&sta%00te'.replace('%00', '-'));
    expect(params.get('state')).toBeUndefined();
  });

  test('names that objects have by themselves are names like any other', () => {
    expect(parseParams('a=1').get('constructor')).toBeUndefined();
    expect(parseParams('__proto__=1').get('__proto__')).toBe('1');
  });
});

describe('a request that is not well-formed is refused as a whole', () => {
  test.each([
    ['a percent sign alone', 'a=%'],
    ['a percent sign with one digit', 'a=%4'],
    ['a percent sign without digits', 'a=%zz'],
    ['a percent sign in the name', '%=1'],
    ['a byte that never occurs in UTF-8', 'a=%ff'],
    ['half a sequence', 'a=%c3'],
    ['a continuation without a start', 'a=%a9'],
    ['an overlong slash', 'a=%c0%af'],
    ['an overlong NUL', 'a=%c0%80'],
    ['half of a surrogate pair', 'a=%ed%a0%80'],
    ['a code point past U+10FFFF', 'a=%f4%90%80%80'],
    ['a NUL', 'a=%00'],
    ['a NUL amidst', 'a=good%00bad'],
    ['a NUL in the name', 'a%00=1'],
    ['a raw NUL', 'a=\0'],
    ['something broken in a parameter that nobody asks for', 'a=1&utm_source=%'],
  ])('%s', (_, encoded) => {
    expect(refusalOf(() => parseParams(encoded))).toBe('invalid_request');
  });

  test('any text at all is either parsed or refused with invalid_request', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const any = fc.oneof(
      anyText(),
      bytes.map((buffer) => buffer.toString('latin1')),
      bytes.map((buffer) => [...buffer].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
      fc
        .array(fc.constantFrom('a', '%', '%4', '=', '&', '+', '%c3', '%a9', '\0', '\ud800', 'resource='))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(any, (encoded) => {
        const code = refusalOf(() => {
          const params = parseParams(encoded);
          params.all('a');
          params.get('a');
        });
        expect([null, 'invalid_request']).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('how long a parameter may be (hardening, numbers)', () => {
  test.each([
    ['state', 2048],
    ['nonce', 2048],
    ['scope', 2048],
    ['redirect_uri', 2048],
    ['client_id', 2048],
    ['claims', 16_384],
    ['id_token_hint', 16_384],
    ['client_assertion', 16_384],
  ])('%s: %i characters', (name, longest) => {
    const longestText = 'x'.repeat(longest);
    expect(parseParams(`${name}=${longestText}`).get(name)).toBe(longestText);
    const tooLong = parseParams(`${name}=${longestText}x`);
    expect(refusalOf(() => tooLong.get(name))).toBe('invalid_request');
    expect(descriptionOf(() => tooLong.get(name))).toBe(`${name} is longer than ${longest} characters`);
  });

  test('counted after decoding', () => {
    expect(parseParams(`state=${'%C3%BC'.repeat(2048)}`).get('state')).toBe('ü'.repeat(2048));
  });
});

describe('a parameter that may be repeated (RFC 8707 §2)', () => {
  test('gives all its values in order, without the empty ones (HTTP-06)', () => {
    expect(parseParams('resource=b&x=1&resource=&resource=a&resource=b').all('resource')).toEqual([
      'b',
      'a',
      'b',
    ]);
  });

  test.each([
    ['21 of them', 'resource=a&'.repeat(21)],
    ['one that is too long', `resource=a&resource=${'x'.repeat(2049)}`],
  ])('refuses %s', (_, encoded) => {
    expect(refusalOf(() => parseParams(encoded).all('resource'))).toBe('invalid_request');
  });
});

test('a text without anything to decode is its own decoding', () => {
  fc.assert(
    fc.property(
      fc.string().map((given) => given.replaceAll(/[%+\0]/g, '-')),
      (plain) => {
        expect(decode(plain)).toBe(plain);
      },
    ),
  );
});

describe('parameters of a JSON body (RFC 8259)', () => {
  test('whatever is written comes back as it was, in any spelling of its strings', () => {
    fc.assert(
      fc.property(pairs, fc.boolean(), (given, escaped) => {
        const plain = JSON.stringify(Object.fromEntries(given), null, escaped ? 2 : 0);
        const text = escaped ? plain.replaceAll(/[^\0-\x7f]/g, inHex) : plain;
        const params = parseJsonParams(text);
        for (const [name, value] of given) expect(params.get(name)).toBe(value === '' ? undefined : value);
      }),
    );
  });

  test('a list is a parameter that is repeated', () => {
    const params = parseJsonParams('{"resource":["b","","a"],"one":["x"],"none":[]}');
    expect([params.all('resource'), params.get('one'), params.get('none')]).toEqual([
      ['b', 'a'],
      'x',
      undefined,
    ]);
    expect(refusalOf(() => params.get('resource'))).toBe('invalid_request');
  });

  test('names that objects have by birth are names like any other', () => {
    const params = parseJsonParams('{"__proto__":"a","constructor":"b"}');
    expect([params.get('__proto__'), params.get('constructor'), params.get('toString')]).toEqual([
      'a',
      'b',
      undefined,
    ]);
  });

  test.each([
    ['no JSON', 'a=b'],
    ['an empty body', ''],
    ['a list', '["a"]'],
    ['null', 'null'],
    ['a number in it', '{"a":1}'],
    ['a truth in it', '{"a":true}'],
    ['null in it', '{"a":null}'],
    ['an object in it', '{"a":{"b":"c"}}'],
    ['a list of lists in it', '{"a":[["b"]]}'],
    ['a number in a list', '{"a":["b",1]}'],
    ['a member twice', '{"a":"b","a":"b"}'],
    ['a member twice, in disguise', '{"a":"b","\\u0061":"c"}'],
    ['a member twice, hidden in an object', '{"a":{"b":"c"},"a":"d"}'],
    ['a member twice, behind a quote', '{"a\\"":"b","a\\"" : "c"}'],
    ['U+0000', '{"a":"\\u0000"}'],
    ['half of a surrogate pair', '{"a":"\\ud800"}'],
    ['something behind it', '{"a":"b"}x'],
  ])('%s is refused', (_, text) => {
    expect(refusalOf(() => parseJsonParams(text))).toBe('invalid_request');
  });

  test.each(['{"email":{"b":"c"}}', '{"email":[{}]}', '{"email":7}'])(
    '%s is told what it should be',
    (text) => {
      expect(() => parseJsonParams(text)).toThrow(
        expect.objectContaining({ description: 'email must be a string' }),
      );
    },
  );

  test('text that looks like a member, inside of a string, is none', () => {
    expect(parseJsonParams('{"a":"\\"b\\":","c":"{\\"a\\":1}","d":"\\\\"}').get('d')).toBe('\\');
  });

  test('anything else that is sent is refused, and nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), anyText()), (text) => {
        expect([null, 'invalid_request']).toContain(refusalOf(() => parseJsonParams(text)));
      }),
    );
  });
});

function inHex(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
