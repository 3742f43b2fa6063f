/**
 * What a new password must be, the same wherever one is set: 8 to 1,024 bytes in NFC, neither common nor leaked nor easy to guess.
 * There are no rules of composition. NIST SP 800-63B §5.1.1.2; hardening row 21; decisions 36.
 */
import type { Deps } from '../deps.js';
import type { Text } from '../languages/translate.js';
import { UserError } from '../oauth/errors.js';
import type { UserRow } from '../store/users.js';
import { isBreached } from './breached_passwords.js';

export type NewPasswordDeps = Pick<Deps, 'caches' | 'config' | 'judge' | 'log' | 'outbound'>;

/** What of a person somebody might try first. */
const tellingColumns = [
  'email',
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'birthdate',
  'phone_number',
] as const satisfies readonly (keyof UserRow)[];

/** Whose password it will be: a row of users, or what there is of one yet. */
export type PasswordOwner = Pick<UserRow, 'email'> & Partial<Pick<UserRow, (typeof tellingColumns)[number]>>;

const shortest_bytes = 8;
export const longest_bytes = 1024;

const refusals = {
  common: 'passwords.common',
  personal: 'passwords.personal',
  guessable: 'passwords.guessable',
} as const;

/**
 * The password in NFC, ready to be hashed; nothing is ever cut off. Throws UserError for the field `password` saying what to do, or
 * `busy`. Takes some milliseconds in another process, so it stands before the transaction, like the hash.
 */
export async function checkNewPassword(
  deps: NewPasswordDeps,
  password: string,
  owner: PasswordOwner,
): Promise<string> {
  const normal = normalPassword(password);
  const { product_name } = await deps.caches.brand();
  const verdict = await deps.judge.judge(normal, ownWords(owner, [deps.config.PRODUCT_NAME, product_name]));
  if (verdict !== 'good') throw refused(refusals[verdict]);
  if (await isBreached(deps, normal)) throw refused('passwords.breached');
  return normal;
}

/** The password in NFC. Throws UserError outside of 8 to 1,024 bytes. */
export function normalPassword(password: string): string {
  const normal = password.normalize('NFC');
  const bytes = Buffer.byteLength(normal);
  if (bytes < shortest_bytes)
    throw refused({ key: 'passwords.too_short', values: { least: shortest_bytes } });
  if (bytes > longest_bytes) throw refused({ key: 'passwords.too_long', values: { most: longest_bytes } });
  return normal;
}

function refused(text: Text): UserError {
  return new UserError('invalid_input', text, 'password');
}

const most_words = 40;

/** The words of a person, whole and in parts: `ada.lovelace@example.com` also as `ada`, `lovelace` and `example`. */
function ownWords(owner: PasswordOwner, product: readonly unknown[]): readonly string[] {
  const whole = [...tellingColumns.map((column) => owner[column]), ...product].filter(
    (text) => typeof text === 'string',
  );
  const parts = whole.flatMap((text) => text.split(/[^\p{L}\p{M}\p{N}]+/u));
  const words = [...whole, ...parts].map((text) => text.normalize('NFC').toLowerCase().slice(0, 64));
  // Two Latin letters are a part of too much that is good; two ideographs are a name.
  const telling = words.filter((word) => Buffer.byteLength(word) > 2);
  return [...new Set(telling)].slice(0, most_words);
}
