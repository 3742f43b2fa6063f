/**
 * Sensitive changes ask again who one is, where the last proof is older than five minutes: by /confirm, and back. Where they are about how
 * one signs in, or the end of the account, they ask for the second factor too.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { type EmailCodeConfig, hasFactor } from '../factors/email_code.js';
import type { Db } from '../store/db.js';
import type { SessionRow } from '../store/sessions.js';
import { seeOther } from './answer.js';

/** How long a proof counts as recent. */
const recent_seconds = 300;

export function isRecent({ proven_at }: Pick<SessionRow, 'proven_at'>, now: number): boolean {
  return now - proven_at <= recent_seconds;
}

/**
 * Whether the person proved who they are in the last five minutes. If not, the browser is sent to /confirm, and from there back to this
 * page by GET: the caller does nothing then. For pages under /account; ask when a form is shown, and again when it is posted, best
 * in one line: `if (!requireRecentProof(ctx, deps.config, session, { now })) return;`. `to` is the page to come back to, under the
 * issuer's path, where it is not this one.
 */
export function requireRecentProof(
  ctx: Context,
  config: Pick<Config, 'base'>,
  session: Pick<SessionRow, 'proven_at'>,
  { now, to = pageOf(ctx, config) }: { readonly now: number; readonly to?: string },
): boolean {
  if (isRecent(session, now)) return true;
  seeOther(ctx, `${config.base}/confirm?${new URLSearchParams({ to })}`);
  return false;
}

/**
 * The same for what changes how a person signs in, or ends their account, and for whoever has a second factor more than that: it was proved in
 * this session. In a browser that is spared it, or in a session from before there was one, a password would else be enough to add a factor of
 * one's own, and by it to reach whatever asks for two, or to lock the owner out.
 */
export async function requireFullProof(
  ctx: Context,
  { config, db }: { readonly config: Pick<Config, 'base'> & EmailCodeConfig; readonly db: Db },
  session: Pick<SessionRow, 'amr' | 'proven_at' | 'user_id'>,
  { now, to = pageOf(ctx, config) }: { readonly now: number; readonly to?: string },
): Promise<boolean> {
  const proved = hasTwoFactors(session) || !(await hasFactor(db, config, session.user_id));
  if (proved) return requireRecentProof(ctx, config, session, { now, to });
  seeOther(ctx, `${config.base}/factor?${new URLSearchParams({ to })}`);
  return false;
}

export function hasTwoFactors({ amr }: Pick<SessionRow, 'amr'>): boolean {
  return amr.split(' ').includes('mfa');
}

/** The page that was asked for, or whose form was posted. */
function pageOf(ctx: Context, { base }: Pick<Config, 'base'>): string {
  const query = ctx.method === 'GET' && ctx.querystring !== '' ? `?${ctx.querystring}` : '';
  return ctx.path.slice(base.length) + query;
}

/** Where /confirm and /factor lead back to: a page of the account, whatever was asked for. Never another host's (hardening row 5). */
export function backFromConfirm(config: Pick<Config, 'base'>, to: string | undefined): string {
  const known = /^\/account(\/[\w-]+)*(\?[\w=&%.~+-]*)?$/.test(to ?? '');
  return config.base + (known && to !== undefined ? to : '/');
}
