/**
 * A sign-out here that goes on at the provider that the session came from: offered on our page, or done at once, as the operator says. A
 * failure there is no failure of the sign-out here. OpenID Connect RP-Initiated Logout §2.
 */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import { endSessionUrl } from '../upstream/end_session.js';
import { UpstreamError } from '../upstream/errors.js';
import { longest_state } from '../upstream/transaction.js';
import { browserOf } from './browser.js';
import { arrive, sealPending } from './pending.js';
import type { SignedOut } from './sign_out.js';

type EndDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'keys' | 'log' | 'upstream'>;

/** A session at a provider that a sign-out here may go on to. */
export type UpstreamEnd = Pick<UpstreamSession, 'provider_id' | 'subject' | 'id_token_sealed'>;

/** When a sign-out goes on: `offer`, where the person asks for it; `always`. Null where it does not, or the provider is not in use. */
export async function upstreamSignOut(
  deps: Pick<Deps, 'caches'>,
  upstream: UpstreamEnd | null,
): Promise<{ readonly when: 'offer' | 'always'; readonly name: string } | null> {
  const providers = upstream === null ? [] : await deps.caches.identityProviders();
  const provider = providers.find(({ id }) => id === upstream?.provider_id);
  if (provider?.kind !== 'oidc' || provider.sign_out === 'off') return null;
  return { when: provider.sign_out, name: provider.display_name };
}

/** Where the browser signs out there, and comes back from; null where the provider has no such place, or cannot be found. */
export async function upstreamSignOutUrl(
  deps: EndDeps,
  ctx: Context,
  page: SignedOut,
  upstream: UpstreamEnd,
): Promise<string | null> {
  const now = deps.clock();
  const provider = (await deps.caches.identityProviders()).find(({ id }) => id === upstream.provider_id);
  if (provider === undefined) return null;
  const ring = await deps.keys.get();
  const next: SignedOut = { ...page, ended: { ...page.ended, upstream: null } };
  const state = sealPending(ring, 'signed_out', arrive(next, browserOf(ctx, deps.config), now));
  const { subject, id_token_sealed } = upstream;
  const leaving = { subject, id_token_sealed, state: state.length > longest_state ? null : state };
  return endSessionUrl({ ...deps, ring }, provider, leaving, now).catch((error: unknown) => {
    if (!(error instanceof UpstreamError)) throw error;
    deps.log.info(
      { event: 'upstream_failed', provider_id: provider.id },
      'nobody was signed out at a provider',
    );
    return null;
  });
}
