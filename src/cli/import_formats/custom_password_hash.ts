/** `custom_password_hash`: a hash with all that it takes to check it, in the shape that Auth0 imports. */
import { z } from 'zod';
import { parse } from '../../actions/users.js';
import { decode, digestOf, pbkdf2, salted, scrypt, unusable } from '../../factors/imported_hash.js';
import { parseHash } from '../../factors/imported_hash_text.js';

const encoding = z.enum(['base64', 'hex', 'utf8']);

const schema = z.object({
  algorithm: z.string().max(30),
  hash: z.object({
    value: z.string().min(1).max(2048),
    encoding: encoding.optional(),
    digest: z.string().optional(),
  }),
  salt: z
    .object({
      value: z.string().max(1024),
      encoding: encoding.default('utf8'),
      position: z.enum(['prefix', 'suffix']).default('prefix'),
    })
    .optional(),
  password: z.object({ encoding: z.string().optional() }).optional(),
  iterations: z.number().optional(),
  cost: z.number().default(16_384),
  blockSize: z.number().default(8),
  parallelization: z.number().default(1),
});

/** The hash as it is stored. Throws UserError saying what is wrong with it. */
export function parseCustomHash(value: unknown): string {
  const { algorithm, hash, salt, password, ...rest } = parse(schema, value, 'custom_password_hash');
  if (!['ascii', 'utf8'].includes(password?.encoding ?? 'utf8'))
    throw unusable(`it is of a password in ${password?.encoding}, and these are in UTF-8`);
  const bytes = () => ({
    salt: decode(salt?.value ?? '', salt?.encoding ?? 'utf8'),
    hash: decode(hash.value, hash.encoding ?? 'base64'),
  });
  switch (algorithm.toLowerCase()) {
    case 'argon2':
    case 'bcrypt':
    case 'ldap':
      return parseHash(hash.value);
    case 'pbkdf2':
      if (hash.value.startsWith('$')) return parseHash(hash.value);
      return pbkdf2({
        digest: digestOf(hash.digest ?? 'sha1'),
        iterations: rest.iterations ?? 0,
        ...bytes(),
      });
    case 'scrypt':
      if (hash.value.startsWith('$')) return parseHash(hash.value);
      return scrypt({
        cost: rest.cost,
        block_size: rest.blockSize,
        parallelization: rest.parallelization,
        ...bytes(),
      });
    case 'hmac':
      throw unusable('an hmac cannot be taken over; import this person without it');
    default:
      return salted({ digest: digestOf(algorithm), position: salt?.position ?? 'prefix', ...bytes() });
  }
}
