/**
 * Sends what is in the outbox: logout tokens, signed at the moment they are sent (decisions 9). Every process sends; what it takes is
 * its own for a while. At once when this process put something in, else within a second. Back-Channel Logout §2.5–§2.8.
 */
import type { Deps } from '../deps.js';
import { OutboundError } from '../limits/outbound.js';
import { OAuthError } from '../oauth/errors.js';
import * as outbox from '../store/outbox.js';
import { signLogoutToken } from '../tokens/logout_token.js';

/** Messages on their way at the same time; and to one client, so that one that never answers holds up no other. */
const at_once = 16;
const at_once_each = 4;
/** How often it looks for what other processes put in, and for what is to be sent again. */
const look_ms = 1000;
/** Until a message that was taken is free again, its sender having died: longer than the outbound gate waits. */
const claim_seconds = 15;
/** Seconds before the second attempt, the third and so on; then an hour each time. */
const pauses = [1, 5, 30, 120, 600, 1800];
const last_pause = 3600;
/** An application that has given no good answer for so long is given up. */
const patience_seconds = 86_400;

type OutboxDeps = Pick<
  Deps,
  'bell' | 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'outbound'
>;

export interface Sender {
  /** Looks now. Resolves when nothing is due and nothing is on its way. */
  flush(): Promise<void>;
  /** Takes no more and waits for what is on its way, five seconds at most. */
  stop(): Promise<void>;
}

export function startSender(deps: OutboxDeps): Sender {
  const sending = new Map<Promise<void>, string>();
  let taking: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const canTake = () => again && !stopped && sending.size < at_once;

  /** Takes what is due while there is room. One at a time: who calls meanwhile makes it look once more. */
  function look(): Promise<void> {
    again = true;
    taking ??= take().finally(() => {
      taking = null;
      if (canTake()) void look(); // somebody called as it ended
    });
    return taking;
  }

  async function take(): Promise<void> {
    while (canTake()) {
      again = false;
      const message = await claim(deps, busyOf([...sending.values()]));
      if (message === undefined) continue;
      again = true; // there may be more
      const sent = send(deps, message).finally(() => {
        sending.delete(sent);
        void look(); // there is room again
      });
      sending.set(sent, message.client_id);
    }
  }

  const timer = setInterval(look, look_ms);
  timer.unref();
  const hush = deps.bell.listen(look);
  return {
    async flush() {
      await look();
      while (sending.size > 0) {
        await Promise.race(sending.keys());
        await look();
      }
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      hush();
      await taking;
      await Promise.all(sending.keys());
    },
  };
}

/** The clients that are sent as many messages as one may be at the same time. */
function busyOf(client_ids: readonly string[]): readonly string[] {
  return [...new Set(client_ids)].filter(
    (one) => client_ids.filter((other) => other === one).length >= at_once_each,
  );
}

/** A message for this process to send. None where the database fails: it looks again in a second. */
async function claim(
  { db, clock, log }: OutboxDeps,
  busy: readonly string[],
): Promise<outbox.OutboxRow | undefined> {
  const now = clock();
  try {
    return await outbox.claim(db, { now, next_attempt_at: now + claim_seconds, busy });
  } catch (err) {
    log.error({ err }, 'the outbox cannot be read');
    return undefined;
  }
}

/** Sends one message and writes down what came of it. Where that fails it is sent again when its claim is over. */
async function send(deps: OutboxDeps, message: outbox.OutboxRow): Promise<void> {
  try {
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
  } catch (err) {
    deps.log.error({ err, client_id: message.client_id }, 'a logout token could not be sent');
  }
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

async function attempt(deps: OutboxDeps, { client_id, user_id, sid }: outbox.OutboxRow): Promise<Outcome> {
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
