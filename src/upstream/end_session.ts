/** Signing out at another provider. OpenID Connect RP-Initiated Logout §2. The ID token that it gave us is the hint, kept sealed. */
import * as oidc from 'openid-client';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import { signedOutUri } from './addresses.js';
import type { Upstream } from './configurations.js';

type Subject = Pick<UpstreamSession, 'provider_id' | 'subject'>;

/** Seals an ID token for the row of its session. */
export function sealIdToken(ring: KeyRing, session: Subject, id_token: string): string {
  return ring.seal('seal', Buffer.from(id_token), context(session));
}

function context({ provider_id, subject }: Subject): string {
  return `upstream_sessions ${provider_id} ${subject}`;
}

interface Leaving extends Pick<UpstreamSession, 'subject' | 'id_token_sealed'> {
  /** Comes back with the browser. */
  readonly state: string | null;
}

/** The address that signs out there and comes back; null where the provider has none. Throws UpstreamError `unreachable`. */
export async function endSessionUrl(
  deps: { readonly config: Pick<Config, 'ISSUER'>; readonly upstream: Upstream; readonly ring: KeyRing },
  provider: IdentityProviderRow,
  { subject, id_token_sealed, state }: Leaving,
  now: number,
): Promise<string | null> {
  const configuration = await deps.upstream.configuration(provider, now);
  if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
  const session = { provider_id: provider.id, subject };
  // A key that sealed it long ago is gone: then the provider asks the person itself.
  const hint =
    id_token_sealed === null ? undefined : deps.ring.open('seal', id_token_sealed, context(session));
  return oidc.buildEndSessionUrl(configuration, {
    post_logout_redirect_uri: signedOutUri(deps.config, provider.id),
    ...(hint !== undefined && { id_token_hint: hint.toString() }),
    ...(state !== null && { state }),
  }).href;
}
