/** The kinds of settings: how a text of the environment becomes a value, and the sentence where it does not. */
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isProfileClaim, type ProfileClaim, profileClaims } from './oauth/profile_claims.js';
import { isLoopbackHost } from './oauth/redirect_uri.js';
import { canonicalResponseType, type ResponseTypeName, responseTypeNames } from './oauth/response_types.js';
import { parseScope } from './oauth/scope.js';

export const seconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
export const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
export const list = z.string().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''));
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
export const responseTypeList = z
  .string()
  .transform((text) => text.split(',').map((type) => canonicalResponseType(type.trim())))
  .refine(
    (types): types is ResponseTypeName[] => types.includes('code') && !types.includes(undefined),
    `must be a list of ${responseTypeNames.join(', ')}, with code among them`,
  )
  .transform((types): readonly ResponseTypeName[] => [...new Set(types)]);
export const profileClaimList = list
  .transform((words) => words.filter((word) => word !== 'none'))
  .refine(
    (words): words is ProfileClaim[] => words.every(isProfileClaim),
    `must be none, or some of ${profileClaims.join(', ')}`,
  )
  .transform((claims): readonly ProfileClaim[] => [...new Set(claims)]);
export const cidrs = list.refine(
  (words) => words.every(isNetwork),
  'must be addresses or networks like 10.0.0.0/8, separated by commas',
);

export const listenHost = z
  .string()
  .transform((text) => text.trim().replace(/^\[(.*)\]$/, '$1'))
  .refine(isHost, 'must be an address or a host name, without a port');
/** As URLs have them: in small letters, and in ASCII. */
export const hosts = list
  .transform((words) => words.map((word) => (isHost(word) ? word : domainToASCII(word)).toLowerCase()))
  .refine(
    (words) => words.every((word) => isHost(word.replace(/^\[(.*)\]$/, '$1'))),
    'must be host names or addresses, without scheme, port or wildcard, separated by commas',
  );
export const domains = list
  .transform((words) => words.map((word) => domainToASCII(word).toLowerCase()))
  .refine(
    (words) => words.every(isHostName),
    'must be domains like example.com, without @ or wildcard, separated by commas',
  );

/** OpenID Connect Discovery §3, RFC 8414 §2: https, no query, no fragment; we also refuse user names and a trailing slash. */
export function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && !/[?#]/.test(text) && !text.endsWith('/');
  // A path with // would begin our own Locations, and a browser takes what follows for another host.
  const path = url.pathname === '/' || url.pathname.includes('//') ? '' : url.pathname;
  const canonical = text === url.origin + path;
  return (
    plain &&
    canonical &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)))
  );
}

export function isOrigin(text: string): boolean {
  return URL.canParse(text) && text === new URL(text).origin && text.startsWith('https://');
}

/** smtp://user:password@host:port, smtps://…: nothing behind the port, and what is in front of it is percent-encoded. */
export function isSmtpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const plain = ['', '/'].includes(pathname) && search === '' && hash === '';
  return /^smtps?:$/.test(protocol) && hostname !== '' && plain && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false; // a percent sign that encodes nothing
  }
}

export function isScope(text: string): boolean {
  try {
    return parseScope(text).length > 0;
  } catch {
    return false; // it says by throwing what is wrong with a word
  }
}

/** https, or http for a host that may be asked so; without a user name, which `fetch` refuses. */
export function isServiceUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}

/** What a driver can take apart: special characters in user name and password are percent-encoded. */
export function isDatabaseUrl(text: string): boolean {
  return /^sqlite:./.test(text) || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text));
}

function isNetwork(text: string): boolean {
  const [address = ''] = text.split('/', 1);
  return isAddress(address) && (!text.includes('/') || ipaddr.isValidCIDR(text));
}

/** Not the other ways to write an IPv4 address: 60 is 0.0.0.60, which nobody means. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function isHost(text: string): boolean {
  return isAddress(text) || isHostName(text);
}

/** RFC 1123 §2.1, with the underscore that some networks use; the last label is no number (RFC 3696 §2). */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  const all_labels = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return text.length < 254 && all_labels && !/^\d+$/.test(labels.at(-1) ?? '');
}
