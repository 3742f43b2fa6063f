/**
 * Texts in the language of whoever reads them. i18next looks a text up and chooses its plural form; values are filled in here, because a
 * page puts the words of other people into elements of their own (views/_parts/sentence.ejs). Nothing is escaped: that is the view's.
 */
import { createInstance } from 'i18next';
import { directionOf, type Language, readCatalogue } from './catalogues.js';
import type { Key } from './keys.js';

/** What stands in the places of a text, by name. Numbers are written as the language writes them; `count` chooses the plural form. */
export type Values = Readonly<Record<string, string | number>>;

/** A text that nobody has read yet: whoever shows it says it in the reader's language. */
export interface Message {
  readonly key: Key;
  readonly values?: Values | undefined;
}

export type Text = Key | Message;

/** Words of others, which are the same in every language: a name, a scope. */
export interface Words {
  readonly words: string;
}

/** A piece of a sentence: our own words, or the value that stands in the place `name`. */
interface Part {
  readonly text: string;
  readonly name: string | null;
  readonly value: unknown;
}

/** What a view calls `t`. All of it in one language. */
export interface Translator {
  /** A text with its values in it, as plain text: what may run from right to left in it is isolated (UAX #9). */
  (text: Text | Words, values?: Values): string;
  readonly language: Language;
  readonly dir: 'ltr' | 'rtl';
  /** The pieces of a sentence, for values that get an element of their own. */
  parts(text: Text | Words, values?: Readonly<Record<string, unknown>>): readonly Part[];
  number(value: number): string;
  list(words: readonly string[]): string;
  /** A day, of whole seconds since 1970. In UTC where the reader's time zone is unknown. */
  date(at: number, time_zone?: string): string;
  /** A day and a time with its zone. */
  moment(at: number, time_zone?: string): string;
}

type Texts = Readonly<Record<string, string>>;

/** What is known of a language, read and made where somebody speaks it first: formatters and their data take megabytes. */
const texts = new Map<Language, Texts>();
const translators = new Map<Language, Translator>();

/** Knows the languages whose texts were read. */
const engine = createInstance();
void engine.init({
  initAsync: false, // all of it is here already
  fallbackLng: 'en',
  resources: {},
  keySeparator: false,
  nsSeparator: false,
});

function textsOf(language: Language): Texts {
  const known = texts.get(language);
  if (known !== undefined) return known;
  const read = readCatalogue(language);
  texts.set(language, read);
  engine.addResourceBundle(language, 'translation', read);
  return read;
}

/** The texts of one language. The same object every time. */
export function translatorOf(language: Language): Translator {
  const translator = translators.get(language) ?? createTranslator(language);
  translators.set(language, translator);
  return translator;
}

/** A message in English with its values as they are: for logs, the command line and answers to programs. */
export function inEnglish({ key, values = {} }: Message): string {
  return split(lookUp('en', key, values.count))
    .map((piece, index) => (index % 2 === 0 ? piece : String(values[piece] ?? `{{${piece}}}`)))
    .join('');
}

/** The text as it stands in the catalogue. One without a plural is a look into an object, nothing else. */
function lookUp(language: Language, key: Key, count: unknown): string {
  const own = textsOf(language);
  if (typeof count !== 'number') return own[key] ?? textsOf('en')[key] ?? key;
  return engine.getFixedT(language)(key, { count, skipInterpolation: true });
}

/** Our words and the names of places, by turns. */
function split(text: string): readonly string[] {
  return text.includes('{{') ? text.split(/\{\{(\w+)\}\}/) : [text];
}

function createTranslator(language: Language): Translator {
  const dir = directionOf(language);
  const numbers = once(() => new Intl.NumberFormat(language));
  const lists = once(() => new Intl.ListFormat(language, { type: 'conjunction' }));

  const shown = (value: string | number | undefined, name: string) => {
    if (value === undefined) return `{{${name}}}`;
    if (typeof value === 'number') return numbers().format(value);
    return dir === 'rtl' || /\p{Bidi_C}|[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u.test(value)
      ? `\u2068${value}\u2069`
      : value;
  };
  const translate = (text: Text | Words, given?: Values) => {
    if (typeof text === 'object' && 'words' in text) return shown(text.words, 'words');
    const key = typeof text === 'string' ? text : text.key;
    const values = given ?? (typeof text === 'string' ? undefined : text.values);
    const found = lookUp(language, key, values?.count);
    if (values === undefined) return found;
    return split(found)
      .map((piece, index) => (index % 2 === 0 ? piece : shown(values[piece], piece)))
      .join('');
  };
  const parts = (text: Text | Words, given?: Readonly<Record<string, unknown>>) => {
    if (typeof text === 'object' && 'words' in text) return [{ text: '', name: 'words', value: text.words }];
    const { key, values = {} } = typeof text === 'string' ? { key: text } : text;
    const all: Readonly<Record<string, unknown>> = given ?? values;
    return split(lookUp(language, key, all.count)).map((piece, index) => {
      const value = all[piece] ?? null;
      if (index % 2 === 0) return { text: piece, name: null, value: null };
      if (typeof value === 'number') return { text: numbers().format(value), name: null, value: null };
      return { text: '', name: piece, value };
    });
  };
  const at = (options: Intl.DateTimeFormatOptions) => timesOf(language, options);

  return Object.assign(translate, {
    language,
    dir,
    parts,
    number: (value: number) => numbers().format(value),
    list: (words: readonly string[]) => lists().format(words),
    date: at({ dateStyle: 'long' }),
    moment: at({
      ...{ year: 'numeric', month: 'short', day: 'numeric' },
      ...{ hour: 'numeric', minute: '2-digit', timeZoneName: 'short' },
    }),
  });
}

/** Writes times. The formatter of UTC is made once; a zone that nobody knows is UTC. */
function timesOf(language: Language, options: Intl.DateTimeFormatOptions) {
  const utc = once(() => new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }));
  return (at: number, timeZone = 'UTC') => {
    if (timeZone === 'UTC') return utc().format(at * 1000);
    try {
      return new Intl.DateTimeFormat(language, { ...options, timeZone }).format(at * 1000);
    } catch {
      return utc().format(at * 1000); // ECMA-402 says so by throwing
    }
  };
}

/** Makes it when it is asked for first. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
