/**
 * Django: a line of `manage.py dumpdata auth.user --format jsonl`, or of a user model of the project's own. Lines of other models are passed
 * over; staff and superusers are people like others.
 */
import { z } from 'zod';
import { parseHash } from '../../factors/imported_hash_text.js';
import {
  addressOf,
  fullName,
  type ImportFormat,
  optionalText,
  present,
  readLine,
  secondsOf,
} from './format.js';

const line = z.object({
  model: z.string(),
  pk: z.union([z.number(), z.string()]),
  fields: z.looseObject({}),
});

const fields = z.object({
  username: optionalText,
  email: optionalText,
  password: z.string().nullish(),
  first_name: optionalText,
  last_name: optionalText,
  is_active: z.boolean().nullish(),
  date_joined: optionalText,
});

export const django: ImportFormat = {
  name: 'django',
  read(value) {
    const { model, pk, fields: given } = readLine(line, value);
    if (!/user$/i.test(model)) return null;
    const user = readLine(fields, given);
    const { first_name: given_name, last_name: family_name, username: preferred_username, password } = user;
    // `!…` is a password that nobody has.
    const usable = password != null && password !== '' && !password.startsWith('!');
    return {
      id: String(pk),
      email: addressOf(user.email, preferred_username),
      email_verified: false, // Django does not know
      roles: [],
      claims: present({
        name: fullName(given_name, family_name),
        given_name,
        family_name,
        preferred_username,
      }),
      disabled: user.is_active === false,
      created_at: secondsOf(user.date_joined),
      secret: usable ? parseHash(password) : null,
    };
  },
};
