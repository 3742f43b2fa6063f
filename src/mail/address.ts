/** Which addresses mail is sent to: an atom, @, a domain (RFC 5321 §4.1.2, with RFC 6531). */

/**
 * Whether an address is one recipient, whoever reads it. Quoted local parts, comments, groups and lists are not: programs disagree on
 * whom they name, and mail for one would reach another.
 */
export function isDeliverable(address: string): boolean {
  return address.length <= 254 && /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}@[^\s@<>()[\]\\,;:"\p{C}]+$/u.test(address);
}
