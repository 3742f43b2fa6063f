/** Scope values: words in any order, separated by single spaces. RFC 6749 §3.3. */
import { OAuthError } from './errors.js';

const word = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** The words of a scope, each once, in the order given. Throws `invalid_scope` over 100 words or where a character is not allowed. */
export function parseScope(scope: string | undefined): readonly string[] {
  const words = [...new Set((scope ?? '').split(' ').filter((text) => text !== ''))];
  if (words.length > 100) throw new OAuthError('invalid_scope', 'scope has more than 100 words');
  const wrong = words.find((text) => !word.test(text));
  if (wrong !== undefined)
    throw new OAuthError('invalid_scope', `scope has a word with a character that is not allowed`);
  return words;
}

/** Splits a scope that this server stored itself. */
export function scopeWords(scope: string): readonly string[] {
  return scope === '' ? [] : scope.split(' ');
}

/** The words that are not among `others`, in their order. */
export function without(words: readonly string[], others: readonly string[]): readonly string[] {
  return words.filter((word) => !others.includes(word));
}

/** The words of `wanted` that are also in `allowed`, in the order of `wanted`. */
export function intersect(wanted: readonly string[], allowed: readonly string[]): readonly string[] {
  return wanted.filter((text) => allowed.includes(text));
}
