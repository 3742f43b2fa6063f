/**
 * Everything random, and every comparison of something secret. The only file that reads random bytes.
 * Digests are SHA-256 as base64url: 43 characters (FIPS 180-4, RFC 4648 §5).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  randomFillSync,
  randomInt,
  timingSafeEqual,
} from 'node:crypto';

/** `bytes` random bytes, base64url. */
const randomText = createRandomness();

/**
 * Draws random bytes 4 KiB at a time, since a call for each identifier would cost more than the identifier. Each byte is given out
 * once, and wiped as it is.
 */
function createRandomness(): (bytes: number) => string {
  const stock = Buffer.alloc(4096);
  let given = stock.length;
  return (bytes) => {
    if (given + bytes > stock.length) {
      randomFillSync(stock);
      given = 0;
    }
    const text = stock.toString('base64url', given, given + bytes);
    stock.fill(0, given, given + bytes);
    given += bytes;
    return text;
  };
}

/** A secret of 256 random bits, base64url: 43 characters. What codes, cookies and client secrets are made of. */
export function newSecret(): string {
  return randomText(32);
}

/**
 * An identifier of 128 random bits, base64url: 22 characters. Unique, and not to be guessed. It never begins with a hyphen, so
 * that it is no option on a command line.
 */
export function newId(): string {
  const id = randomText(16);
  return id.startsWith('-') ? newId() : id;
}

/** A number of so many decimal digits (at most 14), each as likely as any other: what people type from one device into another. */
export function newDigits(digits: number): string {
  return String(randomInt(10 ** digits)).padStart(digits, '0');
}

/** A symmetric key of 256 random bits. */
export function newKey(): Buffer {
  return randomBytes(32);
}

/** SHA-256 of `text` in UTF-8, base64url. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** HMAC-SHA-256 (RFC 2104), base64url: 43 characters. */
export function mac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A key of 256 bits derived from `secret` for one `purpose` (HKDF with SHA-256, RFC 5869). */
export function derive(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under a fresh 96-bit nonce: nonce, ciphertext, tag, as base64url.
 * `context` is authenticated, not encrypted, so a text sealed for one place does not open in another.
 */
export function encrypt(key: Buffer, plain: Buffer, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Opens what `encrypt` made; undefined if the key or the context is another or a bit was changed. */
export function decrypt(key: Buffer, sealed: string, context: string): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28 || bytes.toString('base64url') !== sealed) return undefined; // one text for one value
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined; // the tag does not fit: node:crypto says so by throwing
  }
}
