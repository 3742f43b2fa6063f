/** Which addresses the outbound gate lets through: https, public addresses, and what the operator allows. RFC 6890; hardening row 18. */
import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { isLoopbackHost } from '../oauth/redirect_uri.js';

/** Why nothing was fetched: for the log and the operator, never for a stranger. */
export class OutboundError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutboundError';
  }
}

export interface OutboundRules {
  /** Whether http and loopback addresses are allowed: the issuer itself is a loopback http address. */
  readonly loopback: boolean;
  /** Host names, in small letters, that may resolve to private addresses and be asked over http. */
  readonly allowed_hosts: readonly string[];
  /** All addresses of a host name; a test puts its own here. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
}

const setting = 'SALLYPORT_OUTBOUND_ALLOWED_HOSTS';

/** The URL, if its scheme is allowed. Throws OutboundError. */
export function checkedUrl(text: string, rules: OutboundRules): URL {
  if (!URL.canParse(text)) throw new OutboundError('not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new OutboundError('the URL holds a user name');
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:') throw new OutboundError(`${url.protocol} is not allowed: only https`);
  if (isAllowedHost(url, rules) || (rules.loopback && isLoopbackHost(url.hostname))) return url;
  throw new OutboundError(
    `${url.host} is asked over http:, which is not allowed: only https; ${setting} can allow the host`,
  );
}

/** Resolves once and checks every address: one that is private hides behind no other. Gives the one to connect to. Throws OutboundError. */
export async function checkedAddress(url: URL, rules: OutboundRules): Promise<string> {
  const { resolve = resolveName } = rules;
  const hostname = withoutBrackets(url);
  const addresses = ipaddr.isValid(hostname) ? [hostname] : await resolve(hostname);
  const first = addresses[0];
  if (first === undefined) throw new OutboundError(`${hostname} has no address`);
  if (isAllowedHost(url, rules)) return first;
  const forbidden = addresses.find(
    (address) => !isAllowedAddress(address, rules.loopback && isLoopbackHost(url.hostname)),
  );
  if (forbidden !== undefined) {
    throw new OutboundError(
      `${hostname} is at ${forbidden}, which is not a public address; ${setting} can allow the host`,
    );
  }
  return first;
}

function isAllowedHost(url: URL, { allowed_hosts }: OutboundRules): boolean {
  return allowed_hosts.includes(url.hostname) || allowed_hosts.includes(withoutBrackets(url));
}

/** The host; an IPv6 address without its brackets. */
function withoutBrackets({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Global unicast addresses of IPv6 (RFC 4291 §2.4): IPv4 that hides in ::/96, and what is not assigned, stay outside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public unicast addresses alone (RFC 6890); loopback where the caller says so. */
function isAllowedAddress(address: string, loopback: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range === 'loopback') return loopback;
  return range === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast));
}

async function resolveName(hostname: string): Promise<readonly string[]> {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return ['127.0.0.1']; // RFC 6761 §6.3
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new OutboundError(`${hostname} does not resolve`, { cause });
  }
}
