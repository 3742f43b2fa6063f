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

/**
 * An address for somebody who may be a stranger: whoever has it knows it by this, and nobody else learns it. The first character of each part,
 * and the end of the domain.
 */
export function maskedAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  const end = domain.includes('.') ? domain.slice(domain.lastIndexOf('.')) : '';
  return `${firstOf(address.slice(0, at))}•••@${firstOf(domain)}•••${end}`;
}

function firstOf(text: string): string {
  return [...text][0] ?? '';
}
