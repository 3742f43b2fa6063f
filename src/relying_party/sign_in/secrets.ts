/**
 * Random identifiers, digests, and what only the holder of a cookie can open. The keys come from the cookies themselves: the store
 * and the URLs hold nothing that is of use without them.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** A secret of 256 random bits, base64url: 43 characters. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256, base64url: 43 characters. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** HMAC-SHA-256 of `text` for one purpose, base64url: 43 characters of the alphabet that PKCE allows (RFC 7636 §4.1). */
export function derive(secret: string, purpose: string, text: string): string {
  return createHmac('sha256', keyOf(secret, purpose)).update(text).digest('base64url');
}

/** Encrypts a value as JSON with AES-256-GCM: nonce, ciphertext, tag, base64url. */
export function seal(secret: string, purpose: string, value: object): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce);
  const parts = [nonce, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString('base64url');
}

/** Opens what `seal` made of a `T`. Undefined if the secret or the purpose is another, or a bit was changed. */
export function open<T extends object>(secret: string, purpose: string, sealed: string): T | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28 || bytes.toString('base64url') !== sealed) return undefined; // one text for one value
  const key = keyOf(secret, purpose);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
    return JSON.parse(text) as T; // authentic: it is what we sealed
  } catch {
    return undefined; // the tag does not fit: node:crypto says so by throwing
  }
}

function keyOf(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport sign-in: ${purpose}`, 32));
}
