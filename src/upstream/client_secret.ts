/** The secret that we have at another provider: sealed with the key of client secrets, which is never replaced (decisions 9). */
import type { KeyRing } from '../keys/keys.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';

type Sealed = Pick<IdentityProviderRow, 'id' | 'client_secret_sealed'>;

export function sealClientSecret(ring: KeyRing, provider_id: string, client_secret: string): string {
  return ring.seal('client_secret', Buffer.from(client_secret), context(provider_id));
}

/** Null for a public client. Throws where the row holds something that was not sealed here. */
export function openClientSecret(ring: KeyRing, { id, client_secret_sealed }: Sealed): string | null {
  if (client_secret_sealed === null) return null;
  const plain = ring.open('client_secret', client_secret_sealed, context(id));
  if (plain === undefined) throw new Error(`the client_secret of the provider ${id} does not open`);
  return plain.toString();
}

function context(provider_id: string): string {
  return `identity_providers ${provider_id}`;
}
