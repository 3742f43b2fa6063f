/**
 * Somebody came from another provider whom we know as nobody: who it says they are waits sealed in their browser until they prove who
 * they are here. Never is it linked by an address alone (hardening row 10).
 */
import type { KeyRing } from '../keys/keys.js';
import type { Profile } from './profile.js';
import { openFor, sealFor } from './seals.js';

const kind = 'upstream connection';
/** How long they may take to sign in here; and to make an account by the link of a mail. */
export const connection_seconds = 600;
export const registration_seconds = 1800;
/** What fits into a cookie. */
const longest_sealed = 3900;

export interface Connection {
  readonly provider_id: string;
  readonly subject: string;
  /** The address that it gave, verified or not: a mail may go there. */
  readonly email: string | null;
  /** What the person knows the account there by. */
  readonly label: string | null;
  /** Who alone can be connected: the owner of the address that the provider is trusted to have verified. Null for whoever proves to be. */
  readonly user_id: string | null;
  /** Only a proof since then counts. */
  readonly made_at: number;
  /** For how many seconds it waits. */
  readonly lives_seconds: number;
}

export function sealConnection(ring: KeyRing, browser: string, connection: Connection): string {
  const sealed = sealFor(ring, kind, browser, connection);
  return sealed.length <= longest_sealed
    ? sealed
    : sealFor(ring, kind, browser, { ...connection, label: null });
}

/** Null for what is none of ours, another browser's, or too old. */
export function openConnection(
  ring: KeyRing,
  sealed: string,
  here: { readonly browser: string; readonly now: number },
): Connection | null {
  const opened = openFor(ring, kind, here.browser, sealed) as Connection | undefined; // sealConnection wrote it
  return opened !== undefined && here.now < opened.made_at + opened.lives_seconds ? opened : null;
}

/** What a person may know their account at a provider by. */
export function labelOf({ email, claims }: Profile): string | null {
  return email ?? claims.preferred_username ?? claims.name ?? null;
}
