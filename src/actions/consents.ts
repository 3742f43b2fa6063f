/** What a user agrees to share with an application. Remembered per client; only what was shown is covered (protocol.md INT-12). */
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import * as consents from '../store/consents.js';
import * as events from '../store/events.js';
import * as outbox from '../store/outbox.js';

export interface Approval {
  readonly user_id: string;
  readonly client_id: string;
  /** What the page showed, as words (oauth/authorization.ts). */
  readonly words: readonly string[];
  readonly request_id: string;
}

/** Remembers an approval beside what was approved before. */
export async function grantConsent(
  deps: Pick<Deps, 'config' | 'db'>,
  approval: Approval,
  now: number,
): Promise<void> {
  const { user_id, client_id, words, request_id } = approval;
  await deps.db.transaction(async (trx) => {
    const before = (await consents.lock(trx, user_id, client_id, now)).split(' ');
    const approved = [...new Set([...before, ...words])].filter((word) => word !== '').join(' ');
    await consents.upsert(trx, {
      user_id,
      client_id,
      approved,
      granted_at: now,
      granted_request: request_id,
    });
    await events.record(
      trx,
      { type: 'consent_granted', user_id, client_id, detail: words.join(' ') },
      now,
      deps.config.EVENTS_SECONDS,
    );
  });
}

/**
 * Takes back all that a user gave to an application: the consent, its sessions' authorizations, offline access. Its tokens end at once,
 * and it is told (decisions 7, 30). Throws UserError `not_found` where it has nothing.
 */
export async function withdrawConsent(
  deps: Pick<Deps, 'bell' | 'config' | 'db'>,
  given: { readonly user_id: string; readonly client_id: string },
  visit: events.Visit,
  now: number,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    const agreed = await consents.remove(trx, given.user_id, given.client_id);
    await outbox.queueLogoutsOfClient(trx, given, newId(), now); // before they are revoked: it tells who took part
    const revoked = await authorizations.revokeByUserAndClient(trx, given, now);
    if (!agreed && revoked === 0) throw new UserError('not_found', 'account.no_application');
    const event = { type: 'consent_withdrawn', ...given, visit } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
  });
  deps.bell.ring();
}
