/** What a person calls a second factor. */

const longest_name = 60;

/** A name as somebody typed it: one line, not too long. */
export function factorName(typed: string): string {
  return typed
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, longest_name);
}
