/**
 * A sign-in under way. Nothing of it is stored here: `state` carries it, sealed under a secret that only a cookie of this browser
 * holds, and nonce and code_verifier follow from that secret. So a state is bound to its browser (RFC 6749 §10.12), tabs do not
 * disturb each other, and whoever never comes back leaves nothing behind.
 */
import { cookieLine, cookieNames, type HasHeaders, readCookie } from './cookies.js';
import { derive, newSecret, open, seal } from './secrets.js';
import type { Settings } from './settings.js';

/** How long a person may take to sign in, seconds. */
export const pending_seconds = 900;
/** How many sign-ins a browser may have under way; the oldest is given up for one more. */
const most = 20;
const longest_state = 2048;

export interface Pending {
  readonly return_to: string;
  /** Asked with prompt=none, so that no page was shown. */
  readonly silent: boolean;
  readonly started_at: number;
  /** The digest of the session that it will take the place of. */
  readonly replaces: string | null;
}

/** What the provider must send back, and what only we can show it. */
export interface PendingSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly code_verifier: string;
}

export interface StartedSignIn extends PendingSecrets {
  /** Set-Cookie lines. */
  readonly cookies: readonly string[];
}

/** Begins one. Its cookie, and the removal of those that are too many, go out with the redirect. */
export function startSignIn(request: HasHeaders, settings: Settings, pending: Pending): StartedSignIn {
  const secret = newSecret();
  // The time comes first, so that the oldest sorts first.
  const id = pending.started_at.toString(36).padStart(7, '0') + newSecret().slice(0, 9);
  const cross_site = settings.response_mode === 'form_post';
  const others = [...cookieNames(request, settings, 'sign_in_')].sort();
  const cookies = [
    cookieLine(settings, `sign_in_${id}`, secret, { max_age: pending_seconds, cross_site }),
    ...others.slice(0, Math.max(0, others.length - most + 1)).map((oldest) => endPending(settings, oldest)),
  ];
  return { ...secretsOf(secret, `${id}.${seal(secret, 'state', pending)}`), cookies };
}

/** The sign-in that a state belongs to. Undefined where this browser began none such. */
export function openSignIn(
  request: HasHeaders,
  settings: Settings,
  state: string,
): (Pending & PendingSecrets) | undefined {
  const secret = state.length <= longest_state && readCookie(request, settings, `sign_in_${idOf(state)}`);
  if (!secret) return undefined;
  const pending = open<Pending>(secret, 'state', state.slice(idOf(state).length + 1));
  return pending && { ...pending, ...secretsOf(secret, state) };
}

/** The Set-Cookie line that forgets a sign-in. */
export function endPending(settings: Settings, state: string): string {
  return cookieLine(settings, `sign_in_${idOf(state)}`, '', {
    max_age: 0,
    cross_site: settings.response_mode === 'form_post',
  });
}

function secretsOf(secret: string, state: string): PendingSecrets {
  return {
    state,
    nonce: derive(secret, 'nonce', state),
    code_verifier: derive(secret, 'code_verifier', state),
  };
}

function idOf(state: string): string {
  return state.split('.', 1)[0] ?? '';
}
