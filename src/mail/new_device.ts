/** Tells people of a sign-in with a browser that was not known for it: the first thing that the owner of a stolen password notices. */
import type { Config } from '../config.js';
import type { Trx } from '../store/db.js';
import type { Visit } from '../store/events.js';
import { notifyUser, type Ring } from './queue.js';

/** A browser in which somebody signs in. */
export interface SignInVisit extends Visit {
  readonly ring: Ring;
  /** Whether this browser signed in with this login before (http/device.ts). */
  knows(login: string): boolean;
}

interface NewSignIn {
  readonly user_id: string;
  /** What the browser would be known for: the credential, or the user where it was none of ours. */
  readonly login: string;
  readonly visit: SignInVisit;
}

/** Queues the notice in the transaction of the sign-in; nothing for a browser that is known. */
export async function tellOfNewDevice(
  trx: Trx,
  config: Pick<Config, 'DEFAULT_LANGUAGE' | 'mail'>,
  { user_id, login, visit }: NewSignIn,
  now: number,
): Promise<void> {
  const { ring, user_agent, address } = visit;
  if (visit.knows(login)) return;
  const message = { name: 'new_device', from: { user_agent, address } } as const;
  await notifyUser(trx, { config, ring }, { user_id, message }, now);
}
