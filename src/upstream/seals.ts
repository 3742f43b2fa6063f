/**
 * What waits in a browser while somebody is on their way: sealed, and good in that browser alone, for a short while. Nothing is stored
 * (design §1.2; hardening rows 9, 10 and 23).
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KeyRing } from '../keys/keys.js';

const longest_plain = 65_536;

/** `browser`: the digest of the browser's cookie. */
export function sealFor(ring: KeyRing, kind: string, browser: string, value: object): string {
  return ring.seal('seal', deflateRawSync(Buffer.from(JSON.stringify(value))), `${kind} ${browser}`);
}

/** What `sealFor` sealed for the same kind and browser: authenticated, so nobody else wrote it. Undefined for anything else. */
export function openFor(ring: KeyRing, kind: string, browser: string, sealed: string): unknown {
  const plain = ring.open('seal', sealed, `${kind} ${browser}`);
  return plain && JSON.parse(inflateRawSync(plain, { maxOutputLength: longest_plain }).toString());
}
