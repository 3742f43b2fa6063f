/** Where the browser goes after a sign-in: a path of this app and nothing else (RFC 9700 §4.11.1). */

/** Longer ones are forgotten: they travel sealed in `state`. */
const longest = 1024;

/**
 * `wanted` as a path with its query and fragment, or undefined where it could lead elsewhere: it must begin with one slash, and hold
 * no backslash and no control character, which browsers read as a slash or as nothing. Judged once more as the URL that it makes,
 * for `/.//host` becomes `//host`.
 */
export function localPath(wanted: string | null, origin: string): string | undefined {
  if (wanted === null || wanted.length > longest) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(wanted) || !URL.canParse(wanted, origin))
    return undefined;
  const url = new URL(wanted, origin);
  const path = url.pathname + url.search + url.hash;
  return url.origin === origin && !path.startsWith('//') && path.length <= longest ? path : undefined;
}
