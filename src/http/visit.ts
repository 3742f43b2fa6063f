/** With what and from where a request comes, as its sender will be shown it. */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { boundedUserAgent } from '../devices/user_agent.js';
import type { SignInVisit } from '../mail/new_device.js';
import type { Visit } from '../store/events.js';
import { clientAddress, type Network } from './client_address.js';
import { knownDevice } from './device.js';

/** `trusted`: the networks of TRUSTED_PROXIES, parsed. */
export function visitOf(ctx: Context, trusted: readonly Network[]): Visit {
  return { user_agent: boundedUserAgent(ctx.get('user-agent')), address: clientAddress(ctx, trusted) };
}

/** The same for a sign-in: it also tells whether the browser is known for a login. */
export async function signInVisit(
  { config, keys }: Pick<Deps, 'config' | 'keys'>,
  ctx: Context,
  trusted: readonly Network[],
): Promise<SignInVisit> {
  const ring = await keys.get();
  const knows = (login: string) => knownDevice(ctx, config, ring, login) !== null;
  return { ...visitOf(ctx, trusted), ring, knows };
}
