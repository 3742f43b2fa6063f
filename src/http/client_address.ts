/** Where a request comes from: the socket's address, or what trusted proxies say of it. Never `ctx.ip` (decisions 18). */
import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Context } from 'koa';

export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Reads addresses and networks, already checked by the configuration. */
export function parseNetworks(words: readonly string[]): readonly Network[] {
  return words.map((word) => {
    const [address, bits] = word.includes('/') ? ipaddr.parseCIDR(word) : [ipaddr.parse(word), undefined];
    return [address, bits ?? (address.kind() === 'ipv4' ? 32 : 128)];
  });
}

/**
 * The address of the client: the last entry of X-Forwarded-For that no trusted proxy wrote. An entry that is no address ends the
 * walk at the proxy that passed it on.
 */
export function clientAddress(ctx: Context, trusted: readonly Network[]): string {
  let address = canonical(peerAddress(ctx)) ?? '';
  const forwarded = ctx
    .get('x-forwarded-for')
    .split(',')
    .map((entry) => canonical(entry.trim()))
    .reverse();
  for (const entry of forwarded) {
    if (!isTrusted(address, trusted) || entry === undefined) break;
    address = entry;
  }
  return address;
}

/** The socket's address; '' where it is gone: Node takes it from a request whose body was left unread. */
function peerAddress(ctx: Context): string {
  const socket: Socket | null = ctx.req.socket;
  return socket?.remoteAddress ?? '';
}

function isTrusted(address: string, networks: readonly Network[]): boolean {
  if (address === '') return false;
  const parsed = ipaddr.parse(address);
  return networks.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network as ipaddr.IPv4, bits),
  );
}

/** One spelling for one address; IPv4 in IPv6 becomes IPv4. */
function canonical(text: string): string | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

/** Whether the other end of the connection is a trusted proxy. */
export function isFromProxy(ctx: Context, trusted: readonly Network[]): boolean {
  return isTrusted(canonical(peerAddress(ctx)) ?? '', trusted);
}

/** Whether somebody at this very machine asks, without a proxy in between: who may see details and development pages. */
export function isLocalPeer(ctx: Context): boolean {
  const address = peerAddress(ctx);
  const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some(
    (name) => ctx.get(name) !== '',
  );
  return !forwarded && ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
