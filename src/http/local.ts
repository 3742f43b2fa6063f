/** Pages for developers: for browsers of this very machine alone (decisions 15). To all others they are not there. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { isLocalPeer } from './client_address.js';
import { notFound } from './no_route.js';

/** Lets a request through that comes from a loopback address and through no proxy; any other is answered 404. */
export function localOnly(deps: Pick<Deps, 'config' | 'log'>): Middleware {
  const absent = notFound(deps);
  return (ctx, next) => (isLocalPeer(ctx) ? next() : absent(ctx, next));
}
