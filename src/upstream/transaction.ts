/**
 * A visit to another provider: what it is for travels there and back sealed, as `state`, and opens in the browser alone that set out. RFC
 * 6749 §10.12; RFC 9700 §4.7.
 */
import type { KeyRing } from '../keys/keys.js';
import { derive, newSecret } from '../secrets.js';
import { UpstreamError } from './errors.js';
import { openFor, sealFor } from './seals.js';

const lives_seconds = 15 * 60;
/** What servers take for a state, ours among them. */
export const longest_state = 2048;
const kind = 'upstream';

/** Why somebody is sent to a provider: to sign in, to connect the account there with that of their session, to prove who they are again. */
export type Purpose =
  | { readonly for: 'sign_in'; readonly request: object | null }
  | { readonly for: 'connect'; readonly session_id: string }
  | { readonly for: 'confirm'; readonly session_id: string; readonly to: string };

export interface Transaction {
  readonly provider_id: string;
  /** What nonce and code_verifier are made of. */
  readonly secret: string;
  readonly started_at: number;
  /** Whether the person is to prove there anew who they are. */
  readonly again: boolean;
  readonly purpose: Purpose;
}

export function begin(begun: Omit<Transaction, 'secret'>): Transaction {
  return { ...begun, secret: newSecret() };
}

/** The `nonce` of the ID token, OpenID Connect Core §3.1.2.1. */
export function nonceOf({ secret }: Transaction): string {
  return derive(secret, 'upstream nonce').toString('base64url');
}

/** The `code_verifier`: 43 characters, RFC 7636 §4.1. */
export function verifierOf({ secret }: Transaction): string {
  return derive(secret, 'upstream code_verifier').toString('base64url');
}

/** The `state`; `browser` is the digest of the browser's cookie. Throws UpstreamError `too_long`. */
export function sealTransaction(ring: KeyRing, browser: string, transaction: Transaction): string {
  const state = sealFor(ring, kind, browser, transaction);
  if (state.length > longest_state)
    throw new UpstreamError('too_long', `a state of ${state.length} characters is too long for a provider`);
  return state;
}

/** Opens a `state` that came back. Throws UpstreamError `unknown`: it is not ours, another browser's, or too old. */
export function openTransaction(
  ring: KeyRing,
  state: string,
  here: { readonly browser: string; readonly now: number },
): Transaction {
  const opened = state.length <= longest_state ? openFor(ring, kind, here.browser, state) : undefined;
  if (opened === undefined)
    throw new UpstreamError('unknown', 'the state is none that this browser was given');
  const transaction = opened as Transaction; // sealTransaction wrote it
  if (here.now >= transaction.started_at + lives_seconds)
    throw new UpstreamError('unknown', 'the state has expired');
  return transaction;
}
