/** Which addresses mail is sent to: an atom, @, a domain (RFC 5321 §4.1.2, with RFC 6531). */
import { domainToASCII } from 'node:url';

/**
 * Whether an address is one recipient, whoever reads it. Quoted local parts, comments, groups and lists are not: programs disagree on
 * whom they name, and mail for one would reach another.
 */
export function isDeliverable(address: string): boolean {
  return address.length <= 254 && /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}@[^\s@<>()[\]\\,;:"\p{C}]+$/u.test(address);
}

/**
 * The domain of an address as the network knows it (UTS #46): what is compared with a list, and what mail is sent to, so that the two are never
 * different domains. '' where it can be none.
 */
export function domainOf(address: string): string {
  return domainToASCII(address.slice(address.lastIndexOf('@') + 1).toLowerCase());
}

/** An address as mail is sent to it. */
export function mailboxOf(address: string): string {
  return `${address.slice(0, address.lastIndexOf('@'))}@${domainOf(address)}`;
}
