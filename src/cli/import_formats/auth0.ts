/**
 * Auth0: a line of the bulk export (newline-delimited JSON), of the export with password hashes that its support gives, or of a file made for
 * its own import. The `sub` stays: `auth0|…`.
 */
import { z } from 'zod';
import { parseHash } from '../../factors/imported_hash_text.js';
import { parseCustomHash } from './custom_password_hash.js';
import { addressOf, type ImportFormat, optionalText, present, readLine, secondsOf } from './format.js';

const line = z.object({
  user_id: optionalText,
  _id: z.object({ $oid: z.string() }).nullish(),
  email: optionalText,
  email_verified: z.boolean().nullish(),
  username: optionalText,
  name: optionalText,
  given_name: optionalText,
  family_name: optionalText,
  nickname: optionalText,
  picture: optionalText,
  phone_number: optionalText,
  phone_verified: z.boolean().nullish(),
  blocked: z.boolean().nullish(),
  created_at: z.unknown().optional(),
  passwordHash: optionalText,
  password_hash: optionalText,
  custom_password_hash: z.unknown().optional(),
});

export const auth0: ImportFormat = {
  name: 'auth0',
  read(value) {
    const user = readLine(line, value);
    const { name, given_name, family_name, nickname, picture, phone_number, username } = user;
    const claims = { name, given_name, family_name, nickname, picture, phone_number };
    const id = user.user_id ?? user._id?.$oid;
    const hash = user.password_hash ?? user.passwordHash;
    const custom = user.custom_password_hash;
    return {
      id: id === undefined ? null : id.includes('|') ? id : `auth0|${id}`,
      email: addressOf(user.email, username),
      email_verified: user.email !== undefined && user.email_verified === true,
      roles: [],
      claims: present({
        ...claims,
        preferred_username: username,
        phone_number_verified: phone_number === undefined ? undefined : user.phone_verified === true,
      }),
      disabled: user.blocked === true,
      created_at: secondsOf(typeof user.created_at === 'string' ? user.created_at : undefined),
      secret: hash !== undefined ? parseHash(hash) : custom == null ? null : parseCustomHash(custom),
    };
  },
};
