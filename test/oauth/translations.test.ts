import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAcceptLanguage, parseLocales } from '../../src/languages/tags.js';
import { fromStored, parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { inLanguage, isTranslation } from '../../src/oauth/translations.js';
import { anyText } from '../support/arbitraries.js';
import { descriptionOf } from '../support/refusal.js';

const options = { allow_loopback_http: false };
const good = { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'] };
const names = {
  'client_name#de': 'Laden',
  'client_name#de-CH': 'Lade',
  'client_name#zh-Hant': '商店',
  'policy_uri#de': 'https://shop.example/datenschutz',
};
const shop = parseClientMetadata({ ...good, ...names }, options);

describe('metadata in several languages (RFC 7591 §2.2)', () => {
  test('are kept as they came, and come out of the database the same (REG-13)', () => {
    expect(shop).toMatchObject({ client_name: 'Shop', ...names });
    expect(fromStored(JSON.parse(JSON.stringify(shop)))).toEqual(shop);
    expect(parseClientMetadata(shop, options)).toEqual(shop);
  });

  test.each([
    ['an empty name', { 'client_name#de': '' }, 'client_name#de'],
    ['a name of blanks', { 'client_name#de': '   ' }, 'client_name#de: must be 1 to 200'],
    ['a long name', { 'client_name#de': 'x'.repeat(201) }, 'client_name#de: must be 1 to 200'],
    ['a name with a line feed', { 'client_name#de': 'La\nden' }, 'client_name#de: holds a control'],
    ['an address that runs', { 'tos_uri#de': 'javascript:alert(1)' }, 'tos_uri#de: must be an https URL'],
    ['a tag that is none', { 'client_name#not a tag': 'x' }, 'client_name#not a tag'],
    ['a member without languages', { 'scope#de': 'offen' }, 'scope#de'],
    [
      'too many',
      Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`client_name#de-x-a${i}`, 'x'])),
      'more than 100',
    ],
  ])('are refused with %s', (_, members, told) => {
    expect(descriptionOf(() => parseClientMetadata({ ...good, ...members }, options))).toContain(told);
  });

  test.each([
    [['de'], 'Laden'],
    [['DE'], 'Laden'],
    [['de-AT'], 'Laden'],
    [['de-CH-1996'], 'Lade'],
    [['fr', 'de-CH'], 'Lade'],
    [['zh-Hant-TW'], '商店'],
    [['zh'], 'Shop'],
    [['fr'], 'Shop'],
    [[], 'Shop'],
  ])('of %j a person sees %s (RFC 4647 §3.4, INT-11)', (languages, name) => {
    expect(inLanguage(shop, 'client_name', languages)).toBe(name);
  });

  test('a member without a translation is shown as it is, one that is not registered not at all', () => {
    expect(inLanguage(shop, 'policy_uri', ['de'])).toBe('https://shop.example/datenschutz');
    expect([inLanguage(shop, 'policy_uri', ['fr']), inLanguage(shop, 'tos_uri', ['de'])]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

test('ui_locales are the language tags in it, ten at most (AUT-18)', () => {
  expect(parseLocales('de-CH fr  not_a_tag x ja-Jpan-JP')).toEqual(['de-CH', 'fr', 'ja-Jpan-JP']);
  expect(parseLocales(undefined)).toEqual([]);
  expect(parseLocales('de '.repeat(50))).toHaveLength(10);
});

test.each([
  ['de-CH, de;q=0.9, en;q=0.8, *;q=0.5', ['de-CH', 'de', 'en']],
  ['en;q=0.2,fr;q=0.9,de', ['de', 'fr', 'en']],
  ['de;q=0, fr', ['fr']],
  ['', []],
  ['*', []],
  [';;;,,,q=1', []],
])('the languages of Accept-Language: %s are %j (RFC 9110 §12.5.4)', (header, languages) => {
  expect(parseAcceptLanguage(header)).toEqual(languages);
});

test('whatever a browser or an application sends, there is an answer', () => {
  fc.assert(
    fc.property(anyText(), anyText(), (a, b) => {
      isTranslation(a);
      expect(inLanguage(shop, 'client_name', [...parseLocales(a), ...parseAcceptLanguage(b)])).toMatch(/./);
    }),
  );
});
