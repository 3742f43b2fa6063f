import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intersect, parseScope, scopeWords } from '../../src/oauth/scope.js';
import { anyText } from '../support/arbitraries.js';
import { refusalOf } from '../support/refusal.js';

/** scope-token of RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E. */
const allowed = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (character) => character !== '"' && character !== '\\',
);
const word = fc.string({ unit: fc.constantFrom(...allowed), minLength: 1, maxLength: 20 });

describe('scope', () => {
  test.each([
    [undefined, []],
    ['', []],
    ['   ', []],
    ['openid', ['openid']],
    ['openid profile', ['openid', 'profile']],
    ['profile openid', ['profile', 'openid']],
    ['  openid   profile ', ['openid', 'profile']],
    ['openid openid', ['openid']],
    ['OpenID openid', ['OpenID', 'openid']],
    ['https://api.example/read!', ['https://api.example/read!']],
  ])('%j is %j (RFC 6749 §3.3)', (scope, words) => {
    expect(parseScope(scope)).toEqual(words);
  });

  test.each([
    ['a tab', 'openid\tprofile'],
    ['a line feed', 'openid\nprofile'],
    ['a quote', 'open"id'],
    ['a backslash', 'open\\id'],
    ['a letter outside ASCII', 'öpenid'],
    ['a no-break space', 'openid\u00a0profile'],
    ['DEL', 'openid\x7f'],
    ['101 words', Array.from({ length: 101 }, (_, i) => `w${i}`).join(' ')],
  ])('with %s is refused', (_, scope) => {
    expect(refusalOf(() => parseScope(scope))).toBe('invalid_scope');
  });

  test('may hold 100 words', () => {
    const words = Array.from({ length: 100 }, (_, i) => `w${i}`);
    expect(parseScope(words.join(' '))).toEqual(words);
  });

  test('holds each word once, in the order given', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 99 }), (words) => {
        expect(parseScope(words.join(' '))).toEqual([...new Set(words)]);
      }),
    );
  });

  test('any text is parsed or refused with invalid_scope', () => {
    fc.assert(
      fc.property(anyText(300), (scope) => {
        expect([null, 'invalid_scope']).toContain(refusalOf(() => parseScope(scope)));
      }),
    );
  });

  test('is read back as it was stored', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 99 }), (words) => {
        expect(scopeWords(parseScope(words.join(' ')).join(' '))).toEqual(words);
      }),
    );
  });

  test('cut down to what is allowed never holds more than either, and keeps its order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word), fc.uniqueArray(word), fc.uniqueArray(word), (both, one, other) => {
        const wanted = [...new Set([...one, ...both])];
        const may = [...new Set([...both, ...other])];
        const cut = intersect(wanted, may);
        expect(cut).toEqual(wanted.filter((text) => cut.includes(text)));
        expect(cut.every((text) => may.includes(text))).toBe(true);
        expect(both.every((text) => cut.includes(text))).toBe(true);
      }),
    );
  });
});
