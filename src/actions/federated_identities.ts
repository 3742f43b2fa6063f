/** Accounts at other providers as a person's own: connecting one, taking it away, and proving by one who they are. Hardening row 10. */
import type { Deps } from '../deps.js';
import { notifyUser, type Post } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as federatedIdentities from '../store/federated_identities.js';
import * as identityProviders from '../store/identity_providers.js';
import type { SessionRow } from '../store/sessions.js';
import * as upstreamSessions from '../store/upstream_sessions.js';
import * as users from '../store/users.js';
import type { Connection } from '../upstream/connection.js';
import type { Arrival } from '../upstream/exchange.js';
import { endSession } from './end_sessions.js';
import { amrOf, linkIdentity, taken } from './federated_sign_in.js';
import { type StartedSession, strengthenSession } from './start_session.js';

/** Who somebody is at a provider, and since when it is known. */
type ProvenElsewhere = Omit<Connection, 'email' | 'lives_seconds'>;

type IdentityDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'keys' | 'log'>;

/**
 * Connects an account at a provider with the person of a session, who proved both in this browser: the one there by coming from it, the
 * one here since then. Throws UserError `conflict` where it is connected already, `form_expired` where it is another's, or the proof is older.
 */
export async function connectIdentity(
  deps: IdentityDeps,
  session: Pick<SessionRow, 'user_id' | 'proven_at'>,
  { connection, visit }: { readonly connection: ProvenElsewhere; readonly visit: events.Visit },
  now: number,
): Promise<void> {
  const { user_id } = session;
  if (!isProven(session, connection)) throw new UserError('form_expired', 'upstream.not_proven');
  const { provider_id, subject, label } = connection;
  const identity = { provider: { id: provider_id }, subject, user_id, label, visit };
  const post = { config: deps.config, ring: await deps.keys.get() };
  await deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) throw new UserError('not_allowed', 'upstream.disabled');
    if (!(await linkIdentity(trx, deps, identity, now))) throw taken();
    await notify(trx, post, { name: 'provider_linked', from: visit, user_id, provider_id }, now);
  });
  deps.bell.ring();
  deps.log.info({ event: 'identity_linked', user_id, provider_id }, 'an account elsewhere was connected');
}

/** Whether the person of a session proved since a connection was made that they are whom it is for. */
export function isProven(
  session: Pick<SessionRow, 'user_id' | 'proven_at'>,
  connection: Pick<Connection, 'user_id' | 'made_at'>,
): boolean {
  const meant = connection.user_id === null || connection.user_id === session.user_id;
  return meant && session.proven_at >= connection.made_at;
}

interface Removal {
  readonly user_id: string;
  readonly identity_id: string;
  readonly session_id: string;
}

/**
 * Takes an account at a provider away from a user, and ends the sessions that came from it but the one (`session_id`) in which its owner does
 * that: whoever came by it is out. Throws UserError `not_found`, or `not_allowed` where it is their only way in. Of two
 * that are taken away at the same moment one waits for the other, so that the last one stays.
 */
export async function removeIdentity(
  deps: IdentityDeps,
  { user_id, identity_id, session_id }: Removal,
  visit: events.Visit,
  now: number,
): Promise<void> {
  const post = { config: deps.config, ring: await deps.keys.get() };
  await deps.db.transaction(async (trx) => {
    await users.hold(trx, user_id);
    const removed = await federatedIdentities.remove(trx, identity_id, user_id);
    if (removed === undefined) throw new UserError('not_found', 'upstream.no_identity');
    if (!(await federatedIdentities.hasWayIn(trx, user_id)))
      throw new UserError('not_allowed', 'upstream.last_way');
    const { provider_id, subject } = removed;
    for (const came of await upstreamSessions.findEnded(trx, { provider_id, sid: null, subject }))
      if (came.user_id === user_id && came.session_id !== session_id)
        await endSession(trx, came.session_id, now);
    const event = { type: 'identity_unlinked', user_id, detail: provider_id, visit } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
    await notify(trx, post, { name: 'provider_unlinked', from: visit, user_id, provider_id }, now);
  });
  deps.bell.ring();
}

interface IdentityNotice {
  readonly name: 'provider_linked' | 'provider_unlinked';
  readonly from: events.Visit;
  readonly user_id: string;
  readonly provider_id: string;
}

/** Tells the owner of an account by mail what was done to it. */
async function notify(
  trx: Trx,
  post: Post,
  { name, from, user_id, provider_id }: IdentityNotice,
  now: number,
): Promise<void> {
  const provider = (await identityProviders.find(trx, provider_id))?.display_name ?? provider_id;
  await notifyUser(trx, post, { user_id, message: { name, from, provider } }, now);
}

/**
 * The person of a session proved once more, at a provider, who they are: a new cookie, a new `proven_at`. Throws UserError `not_allowed`
 * where they came back as somebody else.
 */
export async function confirmFederated(
  deps: IdentityDeps,
  session: SessionRow,
  arrival: Arrival,
  now: number,
): Promise<StartedSession> {
  const { user_id } = session;
  const { provider, subject } = arrival;
  const amr = [...new Set([...session.amr.split(' '), ...amrOf(arrival)])];
  return deps.db.transaction(async (trx) => {
    if (!(await users.lock(trx, user_id))) throw new UserError('not_allowed', 'upstream.disabled');
    const identity = await federatedIdentities.findBySubject(trx, { provider_id: provider.id, subject });
    if (identity?.user_id !== user_id) throw new UserError('not_allowed', 'upstream.somebody_else');
    await federatedIdentities.touch(trx, identity, now);
    return strengthenSession(trx, session, amr, now);
  });
}
