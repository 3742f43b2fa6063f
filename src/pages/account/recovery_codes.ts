/** One's recovery codes, GET /account/recovery-codes: those that were just made, or how many are left. */
import type { Middleware } from 'koa';
import type { Deps } from '../../deps.js';
import { forPerson, renderAccount } from '../../http/account.js';
import { readQuery } from '../../http/read.js';
import { openCodes } from '../../http/shown_codes.js';
import * as credentials from '../../store/credentials.js';

export function showRecoveryCodes(deps: Pick<Deps, 'clock' | 'config' | 'db' | 'keys'>): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    const shown = readQuery(ctx).get('shown') ?? '';
    const left = await credentials.list(deps.db, session.user_id, 'recovery_code');
    await renderAccount(deps, ctx, session, {
      view: 'account/recovery_codes',
      title: 'passkeys.codes',
      data: { codes: openCodes(await deps.keys.get(), session.id, shown, now), left: left.length },
    });
  });
}
