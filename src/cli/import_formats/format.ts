/** What an import format is: how a line of another system's export says who a person is. One file and one line in index.ts each. */
import { z } from 'zod';
import type { ImportInput } from '../../actions/import_users.js';
import { parse } from '../../actions/users.js';
import type { FirebaseConfig } from './firebase_config.js';

export interface ImportContext {
  /** The parameters of Firebase's scrypt, from --hash-config. */
  readonly firebase: FirebaseConfig | null;
}

export interface ImportFormat {
  /** What --from calls it. */
  readonly name: string;
  /** The person of a line; null for a line that is about something else. Throws UserError naming the member that is wrong. */
  read(line: unknown, context: ImportContext): ImportInput | null;
}

/** The members of a line. Throws UserError `invalid_input`. */
export function readLine<T>(schema: z.ZodType<T>, line: unknown): T {
  return parse(schema, line, 'person');
}

/** Text that may be missing, null or empty, as exports have it. */
export const optionalText = z
  .string()
  .nullish()
  .transform((text) => (text === null || text === undefined || text.trim() === '' ? undefined : text));

/** The address, or the user name where that is one. */
export function addressOf(email: string | undefined, username: string | undefined): string {
  return parse(
    z.string({ error: 'there is none, and nobody is known without one' }),
    email ?? mailLike(username),
    'email',
  );
}

function mailLike(username: string | undefined): string | undefined {
  return username?.includes('@') ? username : undefined;
}

/** Whole seconds of a date as ISO 8601 writes it; null where there is none. */
export function secondsOf(date: string | undefined): number | null {
  const milliseconds = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

/** Claims without those that are not there. */
export function present(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** The full name of its parts. */
export function fullName(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.filter((part) => part !== undefined).join(' ') || undefined;
}
