/** What a user agrees to share with an application. Remembered per client; only what was shown is covered (protocol.md INT-12). */
import type { Deps } from '../deps.js';
import * as consents from '../store/consents.js';
import * as events from '../store/events.js';

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
