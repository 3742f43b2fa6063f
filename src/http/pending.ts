/**
 * A pending request on its way through the browser: deflated, encrypted, bound to one browser, good for 15 minutes. Nothing of it
 * is stored, and nothing in it says what was done. With another browser's cookie, without one, or when it is too old, it
 * starts anew from its parameters, exactly as a fresh visit. Decisions 11 and 12.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KeyRing } from '../keys/keys.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { OAuthError, UserError } from '../oauth/errors.js';
import type { LogoutRequest } from '../oauth/logout_request.js';
import { newId } from '../secrets.js';
import type { SignedOut } from './sign_out.js';

const lives_seconds = 15 * 60;
const longest_sealed = 6144;
const longest_plain = 65_536;

export interface Pending<T> {
  readonly id: string;
  readonly request: T;
  /** When it came in, whole seconds since 1970. */
  readonly arrived_at: number;
  /** The digest of the browser's cookie; null if it came without (a cross-site POST), then it starts anew where it is opened. */
  readonly browser: string | null;
}

/** A request that has just arrived. */
export function arrive<T>(request: T, browser: string | null, now: number): Pending<T> {
  return { id: newId(), request, arrived_at: now, browser };
}

/** What is sealed: an authorization request, a request to sign out, what follows it. A seal for the one does not open as the other. */
interface Requests {
  authorization: AuthorizationRequest;
  logout: LogoutRequest;
  signed_out: SignedOut;
}

/** Throws `invalid_request` naming the largest parameter if the sealed form would be over 6 KiB. */
export function sealPending<Kind extends keyof Requests>(
  ring: KeyRing,
  kind: Kind,
  pending: Pending<Requests[Kind]>,
): string {
  return sealRequest(ring, kind, pending);
}

/** Deflates and encrypts a request with what is noted about it; what is sealed as one `kind` does not open as another. */
export function sealRequest(ring: KeyRing, kind: string, noted: { readonly request: object }): string {
  const plain = Buffer.from(JSON.stringify(noted));
  const sealed = ring.seal('seal', deflateRawSync(plain), kind);
  if (sealed.length <= longest_sealed && plain.length <= longest_plain) return sealed;
  throw new OAuthError(
    'invalid_request',
    `the request is too large; its largest parameter is ${largestMember(noted.request)}`,
    { status: 413 },
  );
}

/** What `sealRequest` sealed: authenticated, so nobody else wrote it. Undefined for anything else. */
export function openSealed(ring: KeyRing, kind: string, sealed: string): unknown {
  const plain = sealed.length <= longest_sealed ? ring.open('seal', sealed, kind) : undefined;
  return plain && JSON.parse(inflateRawSync(plain, { maxOutputLength: longest_plain }).toString());
}

function largestMember(request: object): string {
  const sizes = Object.entries(request).map(([name, value]) => ({
    name,
    size: JSON.stringify(value ?? null).length,
  }));
  return sizes.reduce((a, b) => (b.size > a.size ? b : a), { name: 'unknown', size: 0 }).name;
}

/** The request in a seal, as this browser may go on with it. Throws UserError `form_expired` for what is none of ours. */
export function openPending<Kind extends keyof Requests>(
  ring: KeyRing,
  kind: Kind,
  sealed: string,
  here: { readonly browser: string; readonly now: number },
): Pending<Requests[Kind]> {
  const pending = openSealed(ring, kind, sealed) as Pending<Requests[Kind]> | undefined; // sealPending wrote it
  if (pending === undefined) {
    throw new UserError('form_expired', 'common.page_too_old');
  }
  return goOnHere(pending, here);
}

/** The request as this browser may go on with it: anew where it is another's, or too old. */
export function goOnHere<T>(
  pending: Pending<T>,
  here: { readonly browser: string; readonly now: number },
): Pending<T> {
  const goes_on = pending.browser === here.browser && here.now < pending.arrived_at + lives_seconds;
  return goes_on ? pending : arrive(pending.request, here.browser, here.now);
}

/** Whether a seal is of this browser's own: it may be too old to go on with, then it starts anew. */
export function isOfBrowser(ring: KeyRing, sealed: string, browser: string): boolean {
  const pending = openSealed(ring, 'authorization', sealed) as Pending<AuthorizationRequest> | undefined;
  return pending?.browser === browser;
}

export type PendingAuthorization = Pending<AuthorizationRequest>;
