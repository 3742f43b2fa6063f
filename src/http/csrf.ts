/**
 * Who may post a form: it must carry a token that this server made for this browser and session, and the browser must say that it
 * comes from this site (Fetch Metadata, or else Origin). RFC 6749 §10.12; decisions 17; hardening row 33.
 */
import type { Context } from 'koa';
import type { KeyRing } from '../keys/keys.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';

/** What a form is bound to: the browser's cookie digest and, where somebody is signed in, their session. */
export interface FormBinding {
  readonly browser: string;
  readonly session_id: string | null;
}

export function csrfToken(ring: KeyRing, binding: FormBinding): string {
  return ring.mac('csrf', `${binding.browser} ${binding.session_id ?? ''}`);
}

/** Throws UserError `form_expired` where the form is not one that we gave to this browser. */
export function assertOwnForm(
  ctx: Context,
  params: Params,
  check: { readonly ring: KeyRing; readonly binding: FormBinding; readonly origin: string },
): void {
  const { browser, session_id } = check.binding;
  const genuine = check.ring.isMac('csrf', `${browser} ${session_id ?? ''}`, params.get('csrf') ?? '');
  if (!genuine || !comesFromHere(ctx, check.origin)) {
    throw new UserError(
      'form_expired',
      'This form is no longer valid, perhaps because cookies are blocked or you signed in elsewhere meanwhile. Please try again.',
    );
  }
}

function comesFromHere(ctx: Context, origin: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const from = ctx.get('origin');
  return from === '' || from === origin;
}
