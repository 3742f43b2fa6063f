/**
 * Members of client metadata in other languages, as `client_name#de`: which there are, and which one a person sees. RFC 7591 §2.2;
 * language tags, RFC 5646; their lookup, RFC 4647 §3.4.
 */
import { isLanguageTag, ranges } from '../languages/tags.js';

const translatable = ['client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri'] as const;

export type Translatable = (typeof translatable)[number];
export type Translations = { readonly [Member in `${Translatable}#${string}`]?: string };

interface Tagged {
  readonly member: Translatable;
  readonly language: string;
}

/** Takes `client_name#de` apart; undefined for a member that is no translation. */
function taggedMember(name: string): Tagged | undefined {
  const at = name.indexOf('#');
  const member = translatable.find((one) => one === name.slice(0, Math.max(at, 0)));
  const language = name.slice(at + 1);
  return member !== undefined && isLanguageTag(language) ? { member, language } : undefined;
}

export function isTranslation(name: string): boolean {
  return taggedMember(name) !== undefined;
}

/** Parts translations from all other members. What is no object has none. */
export function splitTranslations(input: unknown): {
  readonly translations: Readonly<Record<string, unknown>>;
  readonly others: unknown;
} {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { translations: {}, others: input };
  const members = Object.entries(input);
  const translations = members.filter(([name]) => isTranslation(name));
  if (translations.length === 0) return { translations: {}, others: input };
  return {
    translations: Object.fromEntries(translations),
    others: Object.fromEntries(members.filter(([name]) => !isTranslation(name))),
  };
}

/** Every translation of some metadata, with its member. */
export function translationsOf(
  metadata: object,
): readonly (Tagged & { readonly name: string; readonly value: string })[] {
  return Object.entries(metadata).flatMap(([name, value]) => {
    const tagged = name.includes('#') && typeof value === 'string' ? taggedMember(name) : undefined;
    return tagged === undefined ? [] : [{ ...tagged, name, value }];
  });
}

/**
 * A member in the first of `languages` that there is, a wider one (`de` for `de-AT`) before the next; else as it stands without a
 * language. Undefined where it is not registered at all.
 */
export function inLanguage(
  metadata: { readonly [Member in Translatable]?: string | undefined } & Translations,
  member: Translatable,
  languages: readonly string[],
): string | undefined {
  const there = new Map(
    translationsOf(metadata)
      .filter((one) => one.member === member)
      .map(({ language, value }) => [language.toLowerCase(), value]),
  );
  if (there.size > 0) {
    const wanted = languages.flatMap(ranges).find((range) => there.has(range));
    if (wanted !== undefined) return there.get(wanted);
  }
  return metadata[member];
}
