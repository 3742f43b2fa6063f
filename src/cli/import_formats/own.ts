/** Our own format, which `users export` writes: the standard claims of OpenID Connect Core §5.1 and what else an account has. */
import { z } from 'zod';
import { parseHash } from '../../factors/imported_hash_text.js';
import { parseCustomHash } from './custom_password_hash.js';
import { type ImportFormat, readLine } from './format.js';

const line = z.looseObject({
  id: z.string().optional(),
  email: z.string(),
  email_verified: z.boolean().default(false),
  roles: z.array(z.string()).default([]),
  disabled: z.boolean().default(false),
  created_at: z.number().optional(),
  password_hash: z.string().optional(),
  custom_password_hash: z.unknown().optional(),
});

export const own: ImportFormat = {
  name: 'sallyport',
  read(value) {
    const person = readLine(line, value);
    const {
      id,
      email,
      email_verified,
      roles,
      disabled,
      created_at,
      password_hash,
      custom_password_hash,
      ...claims
    } = person;
    return {
      ...{ email, email_verified, roles, claims, disabled },
      id: id ?? null,
      created_at: created_at ?? null,
      secret: hashOf(password_hash, custom_password_hash),
    };
  },
};

function hashOf(password_hash: string | undefined, custom: unknown): string | null {
  if (password_hash !== undefined) return parseHash(password_hash);
  return custom === undefined ? null : parseCustomHash(custom);
}
