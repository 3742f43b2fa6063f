/**
 * Password hashes that other systems made: read from the forms they write, bounded in what checking them may cost, and written in the one
 * form that is stored until the person's first sign-in (limits/imported_hashes.js checks it). Forms are those of the PHC string format
 * where there is one: `$scrypt$ln=14,r=8,p=1$salt$hash`, base64 without padding.
 */
import { UserError } from '../oauth/errors.js';

export type Digest = 'sha1' | 'sha256' | 'sha512';

const digest_bytes: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** The most that checking one password may cost: about a second. */
const most = {
  argon2_kib: 262_144,
  argon2_work: 4_194_304, // KiB times passes
  argon2_lanes: 16,
  bcrypt_cost: 14,
  scrypt_bytes: 256 * 1024 * 1024,
  scrypt_work: 2 ** 24, // N × r × p
  pbkdf2_iterations: 3_000_000,
  salt_bytes: 256,
  hash_bytes: 256,
} as const;

/** A hash that cannot be taken over, and why. The person can be imported without it, and asks for a new password. */
export function unusable(reason: string): UserError {
  const faults = `password hash: ${reason}`;
  return new UserError('invalid_input', { key: 'admin.faults', values: { faults } }, 'password_hash');
}

/** The name of a digest as other systems write it (`SHA-256`, `sha256`). Throws UserError for one that is not taken. */
export function digestOf(name: string): Digest {
  const plain = name.toLowerCase().replace(/^sha-/, 'sha');
  if (plain === 'sha1' || plain === 'sha256' || plain === 'sha512') return plain;
  throw unusable(
    /^md\d$/.test(plain)
      ? `${plain} is too weak to be taken over; import this person without it`
      : `the digest ${JSON.stringify(name.slice(0, 30))} is not known`,
  );
}

/** argon2 in PHC string format. */
export function argon2(phc: string): string {
  const found = /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?([a-z0-9=,]+)\$([\w+/]+)\$([\w+/]+)$/.exec(phc);
  const [, parameters = '', salt = '', hash = ''] = found ?? [];
  const { m = 0, t = 0, p = 0 } = numbersOf(parameters);
  if (found === null || !(m > 0 && t > 0 && p > 0)) throw unusable('argon2 is not as PHC writes it');
  if (m > most.argon2_kib) throw unusable(`argon2 with ${m} KiB; the most is ${most.argon2_kib}`);
  if (m * t > most.argon2_work || p > most.argon2_lanes)
    throw unusable('argon2 with too many passes or lanes');
  sized(decode(salt, 'base64'), decode(hash, 'base64'));
  return phc;
}

/** bcrypt, `$2a$`, `$2b$` or `$2y$`. `django_sha256`: of the hex SHA-256 of the password, as Django's bcrypt_sha256. */
export function bcrypt(
  text: string,
  how: { readonly django_sha256: boolean } = { django_sha256: false },
): string {
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1]);
  if (Number.isNaN(cost) || cost < 4) throw unusable('bcrypt is not as it is usually written');
  if (cost > most.bcrypt_cost)
    throw unusable(`bcrypt with the cost ${cost}; the most is ${most.bcrypt_cost}`);
  return how.django_sha256 ? `$django-bcrypt-sha256${text}` : text;
}

interface Scrypt {
  /** N: a power of two. */
  readonly cost: number;
  readonly block_size: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export function scrypt({ cost, block_size, parallelization, salt, hash }: Scrypt): string {
  sized(salt, hash);
  const ln = boundedScrypt(cost, block_size, parallelization);
  return `$scrypt$ln=${ln},r=${block_size},p=${parallelization}$${encode(salt)}$${encode(hash)}`;
}

interface FirebaseScrypt {
  readonly mem_cost: number;
  readonly rounds: number;
  readonly signer_key: Buffer;
  readonly salt_separator: Buffer;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Firebase's modified scrypt, with the parameters that the project's console shows. */
export function firebaseScrypt(given: FirebaseScrypt): string {
  const { mem_cost, rounds, signer_key, salt_separator, salt, hash } = given;
  sized(salt, hash);
  if (signer_key.length === 0 || signer_key.length !== hash.length)
    throw unusable('the signer key is not the one that this hash was made with: their lengths differ');
  if (salt_separator.length > most.salt_bytes) throw unusable('the salt separator is too long');
  if (!Number.isInteger(mem_cost) || mem_cost > 30)
    throw unusable(`a memory cost of ${mem_cost} is too much`);
  const ln = boundedScrypt(2 ** mem_cost, rounds, 1);
  const parameters = `ln=${ln},r=${rounds},k=${encode(signer_key)},s=${encode(salt_separator)}`;
  return `$firebase-scrypt$${parameters}$${encode(salt)}$${encode(hash)}`;
}

interface Pbkdf2 {
  readonly digest: Digest;
  readonly iterations: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export function pbkdf2({ digest, iterations, salt, hash }: Pbkdf2): string {
  sized(salt, hash);
  if (!Number.isInteger(iterations) || iterations < 1) throw unusable('pbkdf2 without its iterations');
  if (iterations > most.pbkdf2_iterations)
    throw unusable(`pbkdf2 with ${iterations} iterations; the most is ${most.pbkdf2_iterations}`);
  return `$pbkdf2-${digest}$i=${iterations}$${encode(salt)}$${encode(hash)}`;
}

interface Salted {
  readonly digest: Digest;
  /** Where the salt stands beside the password. */
  readonly position: 'prefix' | 'suffix';
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** One round of a digest, as RFC 2307 and old systems have it. */
export function salted({ digest, position, salt, hash }: Salted): string {
  sized(salt, hash);
  if (hash.length !== digest_bytes[digest])
    throw unusable(`${digest} has ${digest_bytes[digest]} bytes, these are ${hash.length}`);
  return `$salted-${digest}$${position}$${encode(salt)}$${encode(hash)}`;
}

/** Text as bytes. Throws UserError where it is not in that encoding; base64 is taken in both alphabets. */
export function decode(text: string, encoding: 'base64' | 'hex' | 'utf8'): Buffer {
  if (encoding === 'utf8') return Buffer.from(text, 'utf8');
  const fits = encoding === 'hex' ? /^(?:[0-9a-fA-F]{2})*$/ : /^[\w+/-]*={0,2}$/;
  if (!fits.test(text)) throw unusable(`what should be ${encoding} is not`);
  return Buffer.from(text, encoding);
}

/** The numbers of `m=65536,t=3`. */
export function numbersOf(parameters: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    parameters.split(',').map((one) => {
      const [name = '', value = ''] = one.split('=');
      return [name, /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN];
    }),
  );
}

/** The binary logarithm of N. */
function boundedScrypt(cost: number, r: number, p: number): number {
  const ln = Math.log2(cost);
  if (!Number.isInteger(ln) || ln < 1 || !Number.isInteger(r) || r < 1 || !Number.isInteger(p) || p < 1)
    throw unusable('scrypt with parameters it does not have');
  if (128 * cost * r > most.scrypt_bytes || cost * r * p > most.scrypt_work)
    throw unusable('scrypt with more memory or work than is allowed');
  return ln;
}

function sized(salt: Buffer, hash: Buffer): void {
  if (hash.length < 16) throw unusable('it is shorter than 16 bytes');
  if (hash.length > most.hash_bytes || salt.length > most.salt_bytes) throw unusable('it is too long');
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
