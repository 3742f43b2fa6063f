/**
 * Sends messages of one kind: takes those that are due, some at the same time, and looks again when there is room. Every process sends;
 * what it takes is its own for a while. At once when this process put something in, else within a second.
 */
import type { Deps } from '../deps.js';

/** How often it looks for what other processes put in, and for what is to be sent again. */
const look_ms = 1000;
/** How long a sender that stops waits for what is on its way before it hangs up. */
const patience_ms = 5000;

/** What there is to know of a kind of message. */
export interface Kind<M> {
  /** How many may be on their way at the same time. */
  readonly at_once: number;
  /** A message for this process to send, other than those on their way. Undefined if none is due. */
  claim(now: number, under_way: readonly M[]): Promise<M | undefined>;
  /** Sends one and writes down what came of it. Where it throws, the message is sent again when its claim is over. */
  send(message: M, hang_up: AbortSignal): Promise<void>;
}

export interface Sender {
  /** Looks now. Resolves when nothing is due and nothing is on its way. */
  flush(): Promise<void>;
  /** Takes no more and waits for what is on its way, five seconds at most. */
  stop(): Promise<void>;
}

export function startSending<M>(deps: Pick<Deps, 'bell' | 'clock' | 'log'>, kind: Kind<M>): Sender {
  const sending = new Map<Promise<void>, M>();
  const hang_up = new AbortController();
  let taking: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  const canTake = () => again && !stopped && sending.size < kind.at_once;

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
      const message = await claim();
      if (message === undefined) continue;
      again = true; // there may be more
      const sent = send(message).finally(() => {
        sending.delete(sent);
        void look(); // there is room again
      });
      sending.set(sent, message);
    }
  }

  /** None where the database fails: it looks again in a second. */
  async function claim(): Promise<M | undefined> {
    try {
      return await kind.claim(deps.clock(), [...sending.values()]);
    } catch (err) {
      deps.log.error({ err }, 'the outbox cannot be read');
      return undefined;
    }
  }

  async function send(message: M): Promise<void> {
    try {
      await kind.send(message, hang_up.signal);
    } catch (err) {
      deps.log.error({ err }, 'a message of the outbox could not be sent');
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
      const impatient = setTimeout(() => hang_up.abort(), patience_ms);
      await taking;
      await Promise.all(sending.keys());
      clearTimeout(impatient);
    },
  };
}
