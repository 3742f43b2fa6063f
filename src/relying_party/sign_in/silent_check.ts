/**
 * The silent check: a redirect with prompt=none that signs in whoever is signed in at the provider, and shows nobody a page. A
 * cookie remembers that it found nobody, so that a page that asks first does not ask for ever.
 */
import { cookieLine, type HasHeaders, readCookie } from './cookies.js';
import type { Settings } from './settings.js';

/** How long one check counts, seconds. */
const checked_seconds = 300;

export function checkedCookie(settings: Settings): string {
  return cookieLine(settings, 'checked', '1', { max_age: checked_seconds });
}

/** Whether no check lately found nobody signed in. For requests without a session here. */
export function silentCheckDue(settings: Settings, request: HasHeaders): boolean {
  return readCookie(request, settings, 'checked') === undefined;
}
