/**
 * Password hashes as one text, in whichever of the usual forms: PHC string format, bcrypt, RFC 2307 (`{SSHA}`), Django's. Each becomes
 * the form that is stored (imported_hash.ts).
 */
import {
  argon2,
  bcrypt,
  type Digest,
  decode,
  digestOf,
  firebaseScrypt,
  numbersOf,
  pbkdf2,
  salted,
  scrypt,
  unusable,
} from './imported_hash.js';

/** The hash as it is stored. Throws UserError saying what is wrong with it. */
export function parseHash(text: string): string {
  if (text.length > 2048) throw unusable('it is too long');
  if (text.startsWith('$')) return parsePhc(text);
  if (text.startsWith('{')) return parseLdap(text);
  return parseDjango(text);
}

function parsePhc(text: string): string {
  const [, id = '', parameters = '', salt = '', hash = '', ...more] = text.split('$');
  if (/^argon2/.test(id)) return argon2(text);
  if (/^2[aby]$/.test(id)) return bcrypt(text);
  if (id === 'django-bcrypt-sha256') return bcrypt(text.slice(id.length + 1), { django_sha256: true });
  if (more.length > 0) throw unusable('it has more parts than its form');
  const [family, digest = ''] = id.split('-');
  const bytes = { salt: fromPhc(salt), hash: fromPhc(hash) };
  const { ln = 0, r = 0, p = 1, i = 0 } = numbersOf(parameters);
  if (id === 'scrypt')
    return scrypt({ cost: 2 ** Math.min(ln, 40), block_size: r, parallelization: p, ...bytes });
  if (family === 'pbkdf2') {
    // passlib writes the iterations alone, and `.` for `+`.
    const iterations = /^\d+$/.test(parameters) ? Number(parameters) : i;
    return pbkdf2({ digest: digest === '' ? 'sha1' : digestOf(digest), iterations, ...bytes });
  }
  if (family === 'salted' && (parameters === 'prefix' || parameters === 'suffix'))
    return salted({ digest: digestOf(digest), position: parameters, ...bytes });
  if (id === 'firebase-scrypt') {
    const texts = new Map(parameters.split(',').map((one) => [one.slice(0, 1), one.slice(2)]));
    const [signer_key, salt_separator] = [fromPhc(texts.get('k') ?? ''), fromPhc(texts.get('s') ?? '')];
    return firebaseScrypt({ mem_cost: ln, rounds: r, signer_key, salt_separator, ...bytes });
  }
  throw unusable(`the form ${JSON.stringify(id.slice(0, 30))} is not known`);
}

function fromPhc(text: string): Buffer {
  return decode(text.replaceAll('.', '+'), 'base64');
}

const ldapDigests: Readonly<Record<string, Digest>> = {
  SHA: 'sha1',
  SSHA: 'sha1',
  SHA256: 'sha256',
  SSHA256: 'sha256',
  SHA512: 'sha512',
  SSHA512: 'sha512',
};

/** `{SSHA}` and its kin: the digest of password and salt, then the salt. RFC 2307 §5.3. */
function parseLdap(text: string): string {
  const [, scheme = '', value = ''] = /^\{([A-Za-z0-9-]+)\}(.*)$/s.exec(text) ?? [];
  if (scheme.toUpperCase() === 'CRYPT' && /^\$2[aby]\$/.test(value)) return bcrypt(value);
  const digest = ldapDigests[scheme.toUpperCase().replace('-', '')];
  if (digest === undefined) throw unusable(`the scheme {${scheme.slice(0, 20)}} is not known`);
  const bytes = decode(value, 'base64');
  const length = { sha1: 20, sha256: 32, sha512: 64 }[digest];
  const [hash, salt] = [bytes.subarray(0, length), bytes.subarray(length)];
  return salted({ digest, position: 'suffix', salt, hash });
}

/** `algorithm$…`, as Django writes it. Its salts are text. */
function parseDjango(text: string): string {
  const [algorithm = '', ...parts] = text.split('$');
  const rest = text.slice(algorithm.length + 1);
  const [first = '', second = '', third = ''] = parts;
  switch (algorithm) {
    case 'argon2':
      return argon2(`$${rest}`);
    case 'bcrypt':
      return bcrypt(rest);
    case 'bcrypt_sha256':
      return bcrypt(rest, { django_sha256: true });
    case 'pbkdf2_sha1':
    case 'pbkdf2_sha256': {
      const [salt, hash] = [decode(second, 'utf8'), decode(third, 'base64')];
      return pbkdf2({ digest: digestOf(algorithm.slice(7)), iterations: whole(first), salt, hash });
    }
    case 'scrypt': {
      const [cost = '', salt = '', block_size = '', parallelization = '', hash = ''] = parts;
      const bytes = { salt: decode(salt, 'utf8'), hash: decode(hash, 'base64') };
      return scrypt({
        cost: whole(cost),
        block_size: whole(block_size),
        parallelization: whole(parallelization),
        ...bytes,
      });
    }
    case 'sha1':
    case 'md5': {
      const [salt, hash] = [decode(first, 'utf8'), decode(second, 'hex')];
      return salted({ digest: digestOf(algorithm), position: 'prefix', salt, hash });
    }
    default:
      throw unusable('its form is not known');
  }
}

function whole(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
}
