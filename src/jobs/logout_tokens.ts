/**
 * Logout tokens of the outbox, signed at the moment they are sent (decisions 9). Back-Channel Logout §2.5–§2.8.
 */
import type { Deps } from '../deps.js';
import { OutboundError } from '../limits/outbound.js';
import { OAuthError } from '../oauth/errors.js';
import * as outbox from '../store/outbox.js';
import { signLogoutToken } from '../tokens/logout_token.js';
import type { Kind } from './sender.js';

/** Messages to one client at the same time, so that one that never answers holds up no other. */
const at_once_each = 4;
/** Until a message that was taken is free again, its sender having died: longer than the outbound gate waits. */
const claim_seconds = 15;
/** Seconds before the second attempt, the third and so on; then an hour each time. */
const pauses = [1, 5, 30, 120, 600, 1800];
const last_pause = 3600;
/** An application that has given no good answer for so long is given up. */
const patience_seconds = 86_400;

type TokenDeps = Pick<
  Deps,
  'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'outbound'
>;

export function logoutTokens(deps: TokenDeps): Kind<outbox.OutboxRow> {
  return {
    at_once: 16,
    claim(now, under_way) {
      const busy = busyOf(under_way.map(({ client_id }) => client_id));
      return outbox.claim(deps.db, { now, next_attempt_at: now + claim_seconds, busy });
    },
    async send(message) {
      const outcome = await attempt(deps, message);
      const now = deps.clock();
      const next_attempt_at = outcome.state === 'sent' ? nextAttempt(message, now) : null;
      const state = outcome.state === 'sent' && next_attempt_at === null ? 'failed' : outcome.state;
      const { id, attempts, client_id, sid } = message;
      const { answer } = outcome;
      await outbox.settle(deps.db, { id, attempts, state, answer, attempted_at: now, next_attempt_at });
      const told = { event: 'logout_told', client_id, sid, state, attempts, answer };
      if (state === 'answered') deps.log.info(told, 'an application was told of a sign-out');
      else deps.log.warn(told, 'an application could not be told of a sign-out');
    },
  };
}

/** The clients that are sent as many messages as one may be at the same time. */
function busyOf(client_ids: readonly string[]): readonly string[] {
  return [...new Set(client_ids)].filter(
    (one) => client_ids.filter((other) => other === one).length >= at_once_each,
  );
}

/** When a message is sent again; null if its time is over. */
function nextAttempt({ attempts, created_at }: outbox.OutboxRow, now: number): number | null {
  const next = now + (pauses[attempts - 1] ?? last_pause);
  return next <= created_at + patience_seconds ? next : null;
}

interface Outcome {
  readonly state: 'answered' | 'failed' | 'sent';
  /** In a few words; never what the application wrote. */
  readonly answer: string;
}

async function attempt(deps: TokenDeps, { client_id, user_id, sid }: outbox.OutboxRow): Promise<Outcome> {
  const client = await deps.caches.client(client_id); // as it is now: it may have moved
  const url = client?.disabled_at === null ? client.backchannel_logout_uri : undefined;
  if (client === undefined || url === undefined)
    return { state: 'failed', answer: 'the client has no backchannel_logout_uri any more' };
  const ring = await deps.keys.get();
  try {
    const logout_token = await signLogoutToken({ ...deps, ring }, { client, user_id, sid }, deps.clock());
    return outcomeOf(await deps.outbound.post({ url, form: { logout_token } }));
  } catch (error) {
    // An OAuthError: it wants its tokens encrypted, and there is no key of it for that now.
    if (error instanceof OutboundError || error instanceof OAuthError)
      return { state: 'sent', answer: error.message.slice(0, 200) };
    throw error;
  }
}

/** 200 or 204: done. 400: the application refuses it, and would again. All else may be better another time. §2.8. */
function outcomeOf(status: number): Outcome {
  if (status === 200 || status === 204) return { state: 'answered', answer: `answered ${status}` };
  return { state: status === 400 ? 'failed' : 'sent', answer: `answered ${status}` };
}
