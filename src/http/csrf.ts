/**
 * Who may post a form: it must carry a token that this server made for this browser and session, and the browser must say that it
 * comes from this site (Fetch Metadata, or else Origin). RFC 6749 §10.12; decisions 17; hardening row 33.
 */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { browserOf } from './browser.js';

type FormDeps = Pick<Deps, 'config' | 'keys'>;

/** The token of a form, for this browser and the session in it; null where it has none, or the form is about none. */
export async function csrfToken(deps: FormDeps, ctx: Context, session_id: string | null): Promise<string> {
  return (await deps.keys.get()).mac('csrf', bindingOf(deps, ctx, session_id));
}

/** Throws UserError `form_expired` where the form is not one that we gave to this browser, for this session. */
export async function assertOwnForm(
  deps: FormDeps,
  ctx: Context,
  params: Params,
  session_id: string | null,
): Promise<void> {
  const ring = await deps.keys.get();
  const genuine = ring.isMac('csrf', bindingOf(deps, ctx, session_id), params.get('csrf') ?? '');
  if (!genuine || !comesFromHere(ctx, new URL(deps.config.ISSUER).origin)) {
    throw new UserError('form_expired', 'common.form_expired');
  }
}

function bindingOf({ config }: FormDeps, ctx: Context, session_id: string | null): string {
  return `${browserOf(ctx, config)} ${session_id ?? ''}`;
}

/** Whether the browser says that a page of ours, or the person at its address bar, sent the request; true where it says nothing. */
export function comesFromHere(ctx: Context, origin: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const from = ctx.get('origin');
  return from === '' || from === origin;
}
