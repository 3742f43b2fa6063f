/** Sends what is in the outbox: logout tokens to applications, mail to people. Each kind has a queue of its own: neither waits for the other. */
import type { Deps } from '../deps.js';
import { logoutTokens } from './logout_tokens.js';
import { mails } from './mails.js';
import { type Sender, startSending } from './sender.js';

export type { Sender };

/** Sends every kind there is. Mail only where something is done with it (config.mail). */
export function startSender(deps: Deps): Sender {
  const senders = [startSending(deps, logoutTokens(deps))];
  if (deps.config.mail !== 'off') senders.push(startSending(deps, mails(deps)));
  return {
    async flush() {
      await Promise.all(senders.map((sender) => sender.flush()));
    },
    async stop() {
      await Promise.all(senders.map((sender) => sender.stop()));
    },
  };
}
