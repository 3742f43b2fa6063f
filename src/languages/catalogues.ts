/**
 * The catalogues: `views/languages/LANGUAGE/AREA.json`, each an object of texts by key. Read once, never changed. A new area is its files
 * and a line in keys.ts; a new language is its folder and a line here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Tags of the languages there are, as `ui_locales` names them (BCP 47). */
export const languages = ['en', 'de', 'fr', 'es', 'ja', 'ar'] as const;
export type Language = (typeof languages)[number];

/** What each language is called by those who speak it. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  ja: '日本語',
  ar: 'العربية',
};

const rightToLeft: ReadonlySet<Language> = new Set(['ar']);

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return rightToLeft.has(language) ? 'rtl' : 'ltr';
}

export function isLanguage(tag: string): tag is Language {
  return (languages as readonly string[]).includes(tag);
}

const folder = fileURLToPath(new URL('../../views/languages/', import.meta.url));

/** Every text of a language by its whole key, `area.key`. A plural has a key for each of its forms: `area.key_one`, `area.key_other`. */
export function readCatalogue(language: Language): Readonly<Record<string, string>> {
  const files = readdirSync(folder + language).filter((name) => name.endsWith('.json'));
  const texts = files.flatMap((name) => {
    const area = name.slice(0, -'.json'.length);
    const file = JSON.parse(readFileSync(`${folder}${language}/${name}`, 'utf8')) as Record<string, string>; // a test reads each
    return Object.entries(file).map(([key, text]) => [`${area}.${key}`, text] as const);
  });
  return Object.fromEntries(texts);
}
