/**
 * Checks passwords against the hashes that other systems made, in the form that factors/imported_hash.ts writes them. For the hashing
 * process alone: it may take a second. Each is renewed as argon2id at the first sign-in. RFC 7914; RFC 8018 §5.2; RFC 2307 §5.3.
 */
import { createCipheriv, createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import bcrypt from 'bcryptjs';

const deriveScrypt = promisify(
  /** @type {(password: string, salt: Buffer, length: number, options: import('node:crypto').ScryptOptions, done: (error: Error | null, key: Buffer) => void) => void} */ (
    scrypt
  ),
);
const derivePbkdf2 = promisify(pbkdf2);

/** What scrypt may take: the importer accepts no more than half of it. */
const scrypt_bytes = 512 * 1024 * 1024;

/**
 * Whether the password fits. Throws for a form that is not known.
 *
 * @param {string} stored
 * @param {string} password
 * @returns {Promise<boolean>}
 */
export async function verifyImported(stored, password) {
  const [, id = '', parameters = '', salt = '', hash = ''] = stored.split('$');
  if (/^2[aby]$/.test(id)) return bcrypt.compare(password, stored);
  if (id === 'django-bcrypt-sha256') return bcrypt.compare(sha256Hex(password), stored.slice(id.length + 1));
  const expected = Buffer.from(hash, 'base64');
  const computed = await compute(id, parameters, { password, salt: Buffer.from(salt, 'base64'), expected });
  return expected.length > 0 && computed.length === expected.length && timingSafeEqual(computed, expected);
}

/** @param {string} password */
function sha256Hex(password) {
  return createHash('sha256').update(password).digest('hex');
}

/**
 * @param {string} id
 * @param {string} parameters
 * @param {{ password: string, salt: Buffer, expected: Buffer }} given
 * @returns {Promise<Buffer>}
 */
async function compute(id, parameters, { password, salt, expected }) {
  const [family, digest = ''] = id.split('-');
  const named = new Map(parameters.split(',').map((one) => splitOnce(one, '=')));
  const number = (/** @type {string} */ name) => Number(named.get(name));
  const options = {
    N: 2 ** number('ln'),
    r: number('r'),
    p: Number(named.get('p') ?? 1),
    maxmem: scrypt_bytes,
  };
  if (family === 'scrypt') return deriveScrypt(password, salt, expected.length, options);
  if (family === 'pbkdf2') return derivePbkdf2(password, salt, number('i'), expected.length, digest);
  if (family === 'salted') {
    const parts = parameters === 'prefix' ? [salt, Buffer.from(password)] : [Buffer.from(password), salt];
    return createHash(digest).update(Buffer.concat(parts)).digest();
  }
  if (id === 'firebase-scrypt') {
    // Firebase's own: the derived key encrypts the project's signer key (github.com/firebase/scrypt).
    const bytes = (/** @type {string} */ name) => Buffer.from(named.get(name) ?? '', 'base64');
    const key = await deriveScrypt(password, Buffer.concat([salt, bytes('s')]), 32, options);
    return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(bytes('k'));
  }
  throw new Error('the form of the hash is not known');
}

/**
 * @param {string} text
 * @param {string} separator
 * @returns {[string, string]}
 */
function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
