/** The catalogues say the same in every language, all that is used and nothing that is not; pages say nothing beside them. */
import { describe, expect, test } from 'vitest';
import { languages } from '../../src/languages/catalogues.js';
import {
  codeOf,
  entries,
  errorsWithoutKey,
  formOf,
  placesIn,
  rawWords,
  saidWithValues,
  usedKeys,
  views,
  withoutForm,
} from '../support/catalogues.js';
import { sourceFiles } from '../support/source.js';

const of = (language: string) => entries.filter((entry) => entry.language === language);
const keysOf = (language: string) => new Set(of(language).map(({ key }) => withoutForm(key)));
const english = keysOf('en');
const isPlural = (key: string) =>
  entries.some((entry) => entry.language === 'en' && entry.key === `${key}_other`);

describe.each(languages)('the catalogues of %s', (language) => {
  test('have every text that the English ones have, and no other', () => {
    expect([...keysOf(language)].toSorted()).toEqual([...english].toSorted());
  });

  test('have exactly the forms of each plural that the language has', () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    const wrong = [...english].flatMap((key) => {
      const there = of(language).filter((entry) => withoutForm(entry.key) === key);
      const have = there.map((entry) => formOf(entry.key) ?? 'none').toSorted();
      const want = isPlural(key) ? forms : ['none'];
      return have.join() === want.join() ? [] : [`${key}: ${have.join()}; there must be ${want.join()}`];
    });
    expect(wrong).toEqual([]);
  });

  test('leave the same places for values; a form for one number may leave out the number', () => {
    const wanted = new Map(of('en').map(({ key, text }) => [withoutForm(key), placesIn(text)]));
    for (const { key, text } of of('en'))
      if (formOf(key) === 'other') wanted.set(withoutForm(key), placesIn(text));
    const wrong = of(language).filter(({ key, text }) => {
      const places = placesIn(text);
      const want = wanted.get(withoutForm(key)) ?? [];
      const single = ['zero', 'one', 'two'].includes(formOf(key) ?? '');
      return (
        places.join() !== want.join() &&
        !(single && places.join() === want.filter((name) => name !== 'count').join())
      );
    });
    expect(wrong).toEqual([]);
  });

  test('have no empty text, and none with markup, with spaces around it or with places that are written wrongly', () => {
    const bad = /^\s|\s$|^$|<|&[a-z]+;|\{\{[^}]*[^\w}][^}]*\}\}|(?<!\{)\{(?!\{)|(?<!\})\}(?!\})|\$t\(/;
    expect(of(language).filter(({ text }) => typeof text !== 'string' || bad.test(text))).toEqual([]);
  });
});

test('a date in a text that runs from right to left keeps its order: it is isolated (UAX #9)', () => {
  const turned = of('ar').filter(({ text }) => /(?<!\u2066)\b\d{4}-\d{2}-\d{2}\b/.test(text));
  expect(turned).toEqual([]);
});

describe('a key', () => {
  const { literals, said } = usedKeys();

  test('of the catalogues is used somewhere', () => {
    expect([...english].filter((key) => !literals.has(key))).toEqual([]);
  });

  test('that a view says is in the catalogues', () => {
    expect(said.length).toBeGreaterThan(5);
    expect(said.filter((key) => !english.has(key))).toEqual([]);
  });
});

test('a text is said with the values that it has places for, and no others', () => {
  const said = saidWithValues();
  expect(said.length).toBeGreaterThan(20);
  const placesOf = (key: string) => {
    const texts = of('en').filter((entry) => withoutForm(entry.key) === key);
    return [...new Set(texts.flatMap(({ text }) => placesIn(text)))].toSorted();
  };
  const wrong = said.filter(({ key, values }) => values.join() !== placesOf(key).join());
  expect(wrong).toEqual([]);
});

describe('a page', () => {
  test.each(views)('has no words of its own: $path', (view) => {
    expect(rawWords(view)).toEqual([]);
  });
});

test('an error that a person is told has a key', () => {
  expect(sourceFiles('src').flatMap(({ path, text }) => errorsWithoutKey(path, text))).toEqual([]);
});

describe('the rules find', () => {
  test.each([
    ['words between tags', '<h1>Sign in</h1>'],
    ['words beside a value', '<p>Hello <%= name %></p>'],
    ['words after code', '<% if (x) { %>Yes<% } %>'],
    ['words that are read aloud', '<button aria-label="Close">×</button>'],
    ['words for a script', '<div data-copied="Copied"></div>'],
  ])('%s', (_, text) => {
    expect(rawWords({ path: 'views/made_up.ejs', text })).toHaveLength(1);
  });

  test('no words in markup, code and comments', () => {
    const text = '<%# A comment. -%><p class="note"><%= t("login.title") %></p>… – <!-- another -->';
    expect(rawWords({ path: 'views/made_up.ejs', text })).toEqual([]);
    expect(codeOf({ path: 'views/made_up.ejs', text })).toContain('login.title');
  });

  test.each(["'Not a key.'", '`no key`'])('a UserError that says %s', (said) => {
    expect(errorsWithoutKey('src/made_up.ts', `throw new UserError('not_found', ${said});`)).toHaveLength(1);
  });
});
