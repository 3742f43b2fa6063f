/** Somebody signed out at another provider: the sessions that came from there end here, and so do those of our applications. */
import type { Deps } from '../deps.js';
import { digest } from '../secrets.js';
import * as assertionIds from '../store/assertion_ids.js';
import * as events from '../store/events.js';
import * as upstreamSessions from '../store/upstream_sessions.js';
import type { LogoutOrder } from '../upstream/logout_token.js';
import { endSession } from './end_sessions.js';

/**
 * Ends what a logout token orders, in one transaction with its jti. False where it was used before. Back-Channel Logout §2.6, §2.7;
 * hardening row 20.
 */
export async function endUpstreamSessions(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'log'>,
  provider_id: string,
  { jti, ends_at, sid, subject }: LogoutOrder,
  now: number,
): Promise<boolean> {
  const ended = await deps.db.transaction(async (trx) => {
    if (!(await assertionIds.insert(trx, digest(`logout_token ${provider_id} ${jti}`), ends_at))) return null;
    for (let count = 0; ; ) {
      const found = await upstreamSessions.findEnded(trx, { provider_id, sid, subject });
      if (found.length === 0) return count;
      for (const { session_id, user_id } of found) {
        await endSession(trx, session_id, now);
        const event = { type: 'session_revoked', user_id, session_id, detail: `by ${provider_id}` } as const;
        await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
      }
      count += found.length;
    }
  });
  if (ended === null) return false;
  if (ended > 0) deps.bell.ring();
  deps.log.info({ event: 'upstream_logout', provider_id, sessions: ended }, 'signed out by a provider');
  return true;
}
