/** Client secrets: 256 random bits, stored as SHA-256, compared in constant time. A slow hash is for what people choose. */
import { digest, equal } from '../secrets.js';
import type { Client } from '../store/clients.js';

export function verifySecret(client: Client, client_secret: string): boolean {
  return client.client_secret_hash !== null && equal(digest(client_secret), client.client_secret_hash);
}
