/** Pages for developers: for browsers of this very machine alone (decisions 15). To all others they are not there. */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { isLoopbackHost } from '../oauth/redirect_uri.js';
import { isLocalPeer } from './client_address.js';
import { notFound } from './no_route.js';

/** Lets a request through that comes from a loopback address and through no proxy; any other is answered 404. */
export function localOnly(deps: Pick<Deps, 'config' | 'log'>): Middleware {
  const absent = notFound(deps);
  const own = new URL(deps.config.ISSUER).hostname;
  return (ctx, next) => (isLocalPeer(ctx) && isLocalName(ctx, own) ? next() : absent(ctx, next));
}

/**
 * Whether a request is for a name of this machine. A page on the Internet can have its own name lead here (DNS rebinding), and what is
 * answered under it is that page's to read: the browser names the host that it means.
 */
function isLocalName({ hostname }: Context, own: string): boolean {
  return hostname === own || isLoopbackHost(hostname.toLowerCase());
}
