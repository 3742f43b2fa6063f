/** Language tags (RFC 5646), where requests name them, and which of ours fits one (RFC 4647 §3.4). */
import { isLanguage, type Language } from './catalogues.js';

/** Whether a text is a well-formed language tag. */
export function isLanguageTag(text: string): boolean {
  if (!/^[A-Za-z0-9-]{2,35}$/.test(text)) return false;
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false; // ECMA-402 says so by throwing
  }
}

/** de-at-1996, de-at, de: what may stand in for a language, the closest first, in small letters. */
export function ranges(language: string): readonly string[] {
  const subtags = language.toLowerCase().split('-');
  return subtags.map((_, cut) => subtags.slice(0, subtags.length - cut).join('-'));
}

/** The first of our languages that `wanted` names, a wider one (`de` for `de-AT`) before the next. Undefined where it names none. */
export function firstOfOurs(wanted: readonly string[]): Language | undefined {
  return wanted.flatMap(ranges).find(isLanguage);
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
