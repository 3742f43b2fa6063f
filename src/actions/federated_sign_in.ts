/**
 * Signing in with another provider. Whom a subject is here, the table federated_identities alone says: an address never does. What it
 * proves is the first factor (amr `fed`, which RFC 8176 has no value for), and the second one too where the operator trusts the provider's
 * word for that. Hardening rows 9, 10, 11.
 */
import type { Deps } from '../deps.js';
import type { KeyRing } from '../keys/keys.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as federatedIdentities from '../store/federated_identities.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import * as users from '../store/users.js';
import { type Connection, connection_seconds, labelOf } from '../upstream/connection.js';
import { sealIdToken } from '../upstream/end_session.js';
import type { Arrival } from '../upstream/exchange.js';
import type { Profile } from '../upstream/profile.js';
import { type Begun, beginSignIn, type FirstProof } from './sign_in.js';
import { insertUser, newUserRow } from './users.js';

export type FederatedDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'keys' | 'log'>;

/** What the browser brings along. */
export type Here = Pick<FirstProof, 'current' | 'request_id' | 'visit'>;

/** What a visit to a provider led to: a session, one more step, or somebody who is nobody here yet. */
export type Federated =
  | { readonly begun: Begun; readonly connection: null }
  | { readonly begun: null; readonly connection: Connection };

/** Throws UserError `not_allowed` where the person may not sign in; UpstreamError where their profile is needed and cannot be had. */
export async function signInFederated(
  deps: FederatedDeps,
  arrival: Arrival,
  here: Here,
  now: number,
): Promise<Federated> {
  const { provider, subject } = arrival;
  const ring = await deps.keys.get();
  const upstream = upstreamSession(ring, arrival);
  const known = await signInKnown(deps, { arrival, upstream, here }, now);
  if (known !== null) return { begun: known, connection: null };

  const profile = await arrival.profile();
  const vouched = provider.trust_email_verified === 1 && profile.email_verified ? profile.email : null;
  if (vouched !== null && provider.registration === 1) {
    const added = await addAccount(deps, { arrival, upstream, here, profile, email: vouched }, now);
    if (added !== null) return { begun: added, connection: null };
    // Somebody has the address; or this very person, by another tab a moment ago.
    const meanwhile = await signInKnown(deps, { arrival, upstream, here }, now);
    if (meanwhile !== null) return { begun: meanwhile, connection: null };
  }
  const owner =
    vouched === null ? undefined : await users.findByEmail(deps.db, users.canonicalEmail(vouched));
  const connection: Connection = {
    ...{ provider_id: provider.id, subject, email: profile.email, label: labelOf(profile) },
    ...{ user_id: owner?.id ?? null, made_at: now, lives_seconds: connection_seconds },
  };
  return { begun: null, connection };
}

interface Coming {
  readonly arrival: Arrival;
  readonly upstream: UpstreamSession;
  readonly here: Here;
}

/** Null where the subject is nobody here. */
async function signInKnown(deps: FederatedDeps, coming: Coming, now: number): Promise<Begun | null> {
  const { provider, subject } = coming.arrival;
  const identity = await federatedIdentities.findBySubject(deps.db, { provider_id: provider.id, subject });
  if (identity === undefined) return null;
  const { user_id } = identity;
  const begun = await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) throw new UserError('not_allowed', 'upstream.disabled');
    if (!(await federatedIdentities.touch(trx, identity, now))) return null; // taken away at this moment
    return beginSignIn(trx, deps.config, firstProof(user_id, coming), now);
  });
  if (begun !== null) tell(deps, coming, user_id, begun);
  return begun;
}

/** Makes an account for somebody whose address the provider is trusted to have verified. Null where somebody has the address. */
async function addAccount(
  deps: FederatedDeps,
  { profile, email, ...coming }: Coming & { readonly profile: Profile; readonly email: string },
  now: number,
): Promise<Begun | null> {
  const { claims } = profile;
  const row = newUserRow({ email, email_verified: true, roles: [], claims, password: null }, now);
  if ((await users.findByEmail(deps.db, row.email_canonical)) !== undefined) return null;
  const begun = await deps.db
    .transaction(async (trx) => {
      await insertUser(trx, deps, row, null);
      const { user_agent, address } = coming.here.visit;
      const known = { user_id: row.id, label: labelOf(profile), visit: { user_agent, address } };
      if (!(await linkIdentity(trx, deps, { ...coming.arrival, ...known }, now))) throw taken();
      return beginSignIn(trx, deps.config, firstProof(row.id, coming), now);
    })
    .catch((error: unknown) => {
      if (error instanceof UserError && error.code === 'conflict') return null;
      throw error;
    });
  if (begun !== null) tell(deps, coming, row.id, begun);
  return begun;
}

function firstProof(user_id: string, { arrival, upstream, here }: Coming): FirstProof {
  return { ...here, user_id, credential_id: null, amr: amrOf(arrival), upstream };
}

/** RFC 8176 §2 lets parties agree on further values; `fed` is what others call it. */
export function amrOf({ mfa }: Pick<Arrival, 'mfa'>): readonly string[] {
  return mfa ? ['fed', 'mfa'] : ['fed'];
}

function upstreamSession(ring: KeyRing, { provider, subject, sid, id_token }: Arrival): UpstreamSession {
  const session = { provider_id: provider.id, subject };
  return {
    ...session,
    sid,
    id_token_sealed: id_token === null ? null : sealIdToken(ring, session, id_token),
  };
}

function tell(deps: FederatedDeps, { arrival, here }: Coming, user_id: string, { session }: Begun): void {
  if (session === null) return;
  if (here.current !== null && here.current.id !== session.session_id) deps.bell.ring();
  const { id: provider_id } = arrival.provider;
  deps.log.info({ event: 'signed_in', user_id, sid: session.session_id, provider_id }, 'signed in');
}

interface NewIdentity {
  readonly provider: { readonly id: string };
  readonly subject: string;
  readonly user_id: string;
  readonly label: string | null;
  readonly visit: events.Visit;
}

/** Links a subject to a user, in the transaction that proved both. False if it is linked already, to whomever. */
export async function linkIdentity(
  trx: Trx,
  { config }: Pick<Deps, 'config'>,
  { provider, subject, user_id, label, visit }: NewIdentity,
  now: number,
): Promise<boolean> {
  const identity = { id: newId(), provider_id: provider.id, subject, user_id, label };
  if (!(await federatedIdentities.insert(trx, { ...identity, created_at: now, last_used_at: now })))
    return false;
  const event = { type: 'identity_linked', user_id, detail: provider.id, visit } as const;
  await events.record(trx, event, now, config.EVENTS_SECONDS);
  return true;
}

/** The subject is somebody's already: one person there is one person here. */
export function taken(): UserError {
  return new UserError('conflict', 'upstream.taken');
}
