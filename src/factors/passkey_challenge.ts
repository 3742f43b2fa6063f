/**
 * The challenge of a passkey ceremony (WebAuthn §13.4.3). Nothing is stored for whoever opens a page: the challenge travels sealed in
 * the form, bound to the browser and to what it is for. It is used up in the transaction of what it proves.
 */
import type { KeyRing } from '../keys/keys.js';
import { digest, newSecret } from '../secrets.js';
import * as assertionIds from '../store/assertion_ids.js';
import type { Trx } from '../store/db.js';

const lives_seconds = 300;
const context = 'passkey challenge';

export interface Ceremony {
  readonly kind: 'registration' | 'authentication';
  /** The digest of the browser's cookie. */
  readonly browser: string;
  /** The user it is for; null where anybody may answer it. */
  readonly user_id: string | null;
}

export interface Challenge {
  /** 256 random bits, base64url: what the authenticator signs. */
  readonly value: string;
  /** As the form carries it. */
  readonly sealed: string;
}

interface Sealed extends Ceremony {
  readonly value: string;
  readonly expires_at: number;
}

export function newChallenge(ring: KeyRing, ceremony: Ceremony, now: number): Challenge {
  const { kind, browser, user_id } = ceremony;
  const value = newSecret();
  const noted: Sealed = { value, kind, browser, user_id, expires_at: now + lives_seconds };
  return { value, sealed: ring.seal('seal', Buffer.from(JSON.stringify(noted)), context) };
}

export interface OpenChallenge {
  readonly value: string;
  readonly expires_at: number;
}

/** The challenge in a seal. Undefined where it is none of ours, of another browser, for something or somebody else, or too old. */
export function openChallenge(
  ring: KeyRing,
  sealed: string,
  ceremony: Ceremony,
  now: number,
): OpenChallenge | undefined {
  const plain = ring.open('seal', sealed, context);
  if (plain === undefined) return undefined;
  const { value, kind, browser, user_id, expires_at }: Sealed = JSON.parse(plain.toString()); // newChallenge wrote it
  const fits = kind === ceremony.kind && browser === ceremony.browser && user_id === ceremony.user_id;
  return fits && now < expires_at ? { value, expires_at } : undefined;
}

/** Uses a challenge up. False if that was done before: of any number at the same moment one gets true. */
export function consumeChallenge(trx: Trx, { value, expires_at }: OpenChallenge): Promise<boolean> {
  return assertionIds.insert(trx, digest(`${context} ${value}`), expires_at);
}
