/**
 * Who changes how they sign in, takes a copy of all that is kept of them, or ends their account is asked again who they are: by /confirm
 * where the last proof is older than five minutes, by /factor where they have a second factor that this session has not proved.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import { type EmailCodeConfig, hasFactor } from '../factors/email_code.js';
import { hasTwoFactors } from '../oauth/acr.js';
import type { Db } from '../store/db.js';
import type { SessionRow } from '../store/sessions.js';
import { seeOther } from './answer.js';

/** How long a proof counts as recent. */
const recent_seconds = 300;

export function isRecent({ proven_at }: Pick<SessionRow, 'proven_at'>, now: number): boolean {
  return now - proven_at <= recent_seconds;
}

/**
 * Whether the person proved who they are in the last five minutes, and whoever has a second factor that one too, in this session: in a browser
 * that is spared it, or in a session from before there was one, a password would else be enough to add a factor of one's own, and by it to
 * reach whatever asks for two, or to lock the owner out. If not, the browser is sent to prove it, and from there back to this page by
 * GET: the caller does nothing then. For pages under /account; ask when a form is shown, and again when it is posted, best in one line:
 * `if (!(await requireFullProof(ctx, deps, session, { now }))) return;`. `to` is the page to come back to, under the issuer's path, where it is
 * not this one.
 */
export async function requireFullProof(
  ctx: Context,
  { config, db }: { readonly config: Pick<Config, 'base'> & EmailCodeConfig; readonly db: Db },
  session: Pick<SessionRow, 'amr' | 'proven_at' | 'user_id'>,
  { now, to = pageOf(ctx, config) }: { readonly now: number; readonly to?: string },
): Promise<boolean> {
  const proved = provedTwoFactors(session) || !(await hasFactor(db, config, session.user_id));
  if (proved && isRecent(session, now)) return true;
  seeOther(ctx, `${config.base}${proved ? '/confirm' : '/factor'}?${new URLSearchParams({ to })}`);
  return false;
}

export function provedTwoFactors({ amr }: Pick<SessionRow, 'amr'>): boolean {
  return hasTwoFactors(amr.split(' '));
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
