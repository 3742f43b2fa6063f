/** Firebase: a user of `firebase auth:export --format=json`. Its hashes need the project's parameters, --hash-config. */
import { z } from 'zod';
import { decode, firebaseScrypt, unusable } from '../../factors/imported_hash.js';
import {
  addressOf,
  type ImportContext,
  type ImportFormat,
  optionalText,
  present,
  readLine,
} from './format.js';

const line = z.object({
  localId: z.string(),
  email: optionalText,
  emailVerified: z.boolean().nullish(),
  displayName: optionalText,
  photoUrl: optionalText,
  phoneNumber: optionalText,
  createdAt: z.union([z.string().regex(/^\d{1,16}$/), z.number()]).nullish(),
  disabled: z.boolean().nullish(),
  passwordHash: optionalText,
  salt: optionalText,
});

export const firebase: ImportFormat = {
  name: 'firebase',
  read(value, context) {
    const user = readLine(line, value);
    const { displayName: name, photoUrl: picture, phoneNumber: phone_number } = user;
    return {
      id: user.localId,
      email: addressOf(user.email, undefined),
      email_verified: user.emailVerified === true,
      roles: [],
      // Firebase knows a number by a code that was sent to it, and by nothing else.
      claims: present({
        name,
        picture,
        phone_number,
        phone_number_verified: phone_number === undefined ? undefined : true,
      }),
      disabled: user.disabled === true,
      created_at: user.createdAt == null ? null : Math.floor(Number(user.createdAt) / 1000),
      secret: user.passwordHash === undefined ? null : hashOf(user.passwordHash, user.salt ?? '', context),
    };
  },
};

function hashOf(passwordHash: string, salt: string, { firebase: config }: ImportContext): string {
  if (config === null) throw unusable('it needs the parameters of the Firebase project: --hash-config');
  return firebaseScrypt({ ...config, salt: decode(salt, 'base64'), hash: decode(passwordHash, 'base64') });
}
