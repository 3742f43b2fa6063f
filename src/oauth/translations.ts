/**
 * Members of client metadata in other languages, as `client_name#de`: which there are, and which one a person sees. RFC 7591 §2.2;
 * language tags, RFC 5646; their lookup, RFC 4647 §3.4.
 */

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

/** Whether a text is a well-formed language tag. */
function isLanguageTag(text: string): boolean {
  if (!/^[A-Za-z0-9-]{2,35}$/.test(text)) return false;
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false; // ECMA-402 says so by throwing
  }
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

/** de-at-1996, de-at, de: what may stand in for a language, the closest first. */
function ranges(language: string): readonly string[] {
  const subtags = language.toLowerCase().split('-');
  return subtags.map((_, cut) => subtags.slice(0, subtags.length - cut).join('-'));
}

/** The languages of `ui_locales` (OpenID Connect Core §3.1.2.1), ten at most; what is no language is left out (protocol.md AUT-18). */
export function parseLocales(ui_locales: string | undefined): readonly string[] {
  if (ui_locales === undefined) return [];
  return ui_locales.split(' ').filter(isLanguageTag).slice(0, 10);
}

/** The languages of an Accept-Language header, the most wanted first (RFC 9110 §12.5.4), ten at most. */
export function parseAcceptLanguage(header: string): readonly string[] {
  return header
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', weight = ''] = part.split(';');
      return { tag: tag.trim(), weight: Number(/^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(weight)?.[1] ?? 1) };
    })
    .filter(({ tag, weight }) => weight > 0 && isLanguageTag(tag))
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
    .slice(0, 10);
}
