/** Sensitive changes ask again who one is, where the last proof is older than five minutes: by /confirm, and back. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
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
 * in one line: `if (!requireRecentProof(ctx, deps.config, session, now)) return;`
 * @public
 */
export function requireRecentProof(
  ctx: Context,
  config: Pick<Config, 'base'>,
  session: Pick<SessionRow, 'proven_at'>,
  now: number,
): boolean {
  if (isRecent(session, now)) return true;
  const query = ctx.method === 'GET' && ctx.querystring !== '' ? `?${ctx.querystring}` : '';
  const to = ctx.path.slice(config.base.length) + query;
  seeOther(ctx, `${config.base}/confirm?${new URLSearchParams({ to })}`);
  return false;
}

/** Where /confirm leads back to: a page of the account, whatever was asked for. Never another host's (hardening row 5). */
export function backFromConfirm(config: Pick<Config, 'base'>, to: string | undefined): string {
  const known = /^\/account(\/[\w-]+)*(\?[\w=&%.~+-]*)?$/.test(to ?? '');
  return config.base + (known && to !== undefined ? to : '/');
}
