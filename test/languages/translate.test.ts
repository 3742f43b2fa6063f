import { describe, expect, test } from 'vitest';
import { languages } from '../../src/languages/catalogues.js';
import { inEnglish, translatorOf } from '../../src/languages/translate.js';

const at = 1_795_352_335; // 2026-11-22 12:58:55 UTC

describe('a text', () => {
  test('is in the language of its translator', () => {
    expect(languages.map((language) => translatorOf(language)('login.password'))).toEqual([
      'Password',
      'Passwort',
      'Mot de passe',
      'Contraseña',
      'パスワード',
      'كلمة المرور',
    ]);
  });

  test.each([
    ['en', 1, 'in a minute.'],
    ['en', 2, 'in 2 minutes.'],
    ['de', 1, 'in einer Minute'],
    ['ja', 1, '1 分後'],
    ['ar', 1, 'دقيقة واحدة'],
    ['ar', 2, 'دقيقتين'],
    ['ar', 3, `${new Intl.NumberFormat('ar').format(3)} دقائق`],
    ['ar', 11, `${new Intl.NumberFormat('ar').format(11)} دقيقة`],
  ] as const)('has the plural of %s for %i', (language, count, words) => {
    expect(translatorOf(language)('login.too_many_attempts', { count })).toContain(words);
  });

  test('writes numbers as its language does', () => {
    expect(translatorOf('de')('passwords.too_long', { most: 1024 })).toContain('1.024 Bytes');
  });

  test.each([
    ['en', 'Corner Shop', 'Back to Corner Shop'],
    ['en', 'متجر', 'Back to \u2068متجر\u2069'],
    ['en', 'Shop\u202e', 'Back to \u2068Shop\u202e\u2069'],
    ['ar', 'Corner Shop', 'العودة إلى \u2068Corner Shop\u2069'],
  ] as const)('in %s keeps the direction of %j to itself', (language, client, said) => {
    expect(translatorOf(language)('login.back_to', { client })).toBe(said);
  });

  test.each(['{{client}}', '$t(login.title)', '<b>&amp;</b>', '{{constructor}}'])(
    'says a value as it is: %s',
    (client) => {
      expect(translatorOf('en')('login.back_to', { client })).toBe(`Back to ${client}`);
    },
  );

  test('comes in pieces around its values', () => {
    expect(translatorOf('ja').parts('login.continue_to', { client: 'Shop' })).toEqual([
      { text: 'サインインして ', name: null, value: null },
      { text: '', name: 'client', value: 'Shop' },
      { text: ' に進む', name: null, value: null },
    ]);
  });

  test('is in English for a log, whatever is in it', () => {
    const message = { key: 'admin.no_user', values: { id: 'متجر' } } as const;
    expect(inEnglish(message)).toBe('There is no user متجر.');
  });
});

describe('a time', () => {
  test.each([
    ['en', 'Nov 22, 2026, 12:58 PM UTC'],
    ['de', '22. Nov. 2026, 12:58 UTC'],
    ['fr', '22 nov. 2026, 12:58 UTC'],
  ] as const)('is written in %s, in UTC', (language, said) => {
    expect(translatorOf(language).moment(at).replaceAll(/\s/g, ' ')).toBe(said);
  });

  test('is in the zone that is known, and in UTC for one that nobody knows', () => {
    expect(translatorOf('de').moment(at, 'Europe/Berlin')).toContain('13:58');
    expect(translatorOf('de').moment(at, 'Nowhere/Else')).toContain('12:58 UTC');
    expect(translatorOf('de').date(at)).toBe('22. November 2026');
  });
});
