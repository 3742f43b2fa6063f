/** With what and from where a request comes, as its sender will be shown it. */
import type { Context } from 'koa';
import { boundedUserAgent } from '../devices/user_agent.js';
import type { Visit } from '../store/events.js';
import { clientAddress, type Network } from './client_address.js';

/** `trusted`: the networks of TRUSTED_PROXIES, parsed. */
export function visitOf(ctx: Context, trusted: readonly Network[]): Visit {
  return { user_agent: boundedUserAgent(ctx.get('user-agent')), address: clientAddress(ctx, trusted) };
}
