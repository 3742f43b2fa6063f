/**
 * Client secrets: 256 random bits or more, stored as SHA-256, compared in constant time. A slow hash is for what people choose. Those
 * of clients that sign with them (client_secret_jwt) are stored sealed as well: a MAC cannot be checked with a digest. Decisions 9.
 */
import type { KeyRing } from '../keys/keys.js';
import { digest, equal, newSecret } from '../secrets.js';
import type { Client } from '../store/clients.js';

/** How a secret is stored. */
export type StoredSecret = Pick<Client, 'client_secret_hash' | 'client_secret_sealed'>;

export const noSecret: StoredSecret = { client_secret_hash: null, client_secret_sealed: null };

export function verifySecret(client: Client, client_secret: string): boolean {
  return client.client_secret_hash !== null && equal(digest(client_secret), client.client_secret_hash);
}

/** A new secret for a client that sends it. */
export function newClientSecret(): { readonly client_secret: string; readonly stored: StoredSecret } {
  const client_secret = newSecret();
  return { client_secret, stored: { ...noSecret, client_secret_hash: digest(client_secret) } };
}

/** A new secret for a client that signs with it: 86 characters, since a key of HS512 has 64 bytes at least (RFC 7518 §3.2). */
export function newSigningSecret(
  ring: KeyRing,
  client_id: string,
): { readonly client_secret: string; readonly stored: StoredSecret } {
  const client_secret = newSecret() + newSecret();
  const client_secret_sealed = ring.seal('client_secret', Buffer.from(client_secret), context(client_id));
  return { client_secret, stored: { client_secret_hash: digest(client_secret), client_secret_sealed } };
}

/** The secret that a client signs with, as the bytes of its text (OpenID Connect Core §10.1). Undefined if it has none. */
export function signingSecretOf(ring: KeyRing, client: Client): Buffer | undefined {
  const { client_id, client_secret_sealed } = client;
  if (client_secret_sealed === null) return undefined;
  return ring.open('client_secret', client_secret_sealed, context(client_id));
}

function context(client_id: string): string {
  return `clients ${client_id}`;
}
