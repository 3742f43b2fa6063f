/** One's passkeys, GET /account/passkeys: what there is, and the way to each and to a new one. */
import type { Middleware } from 'koa';
import type { Deps } from '../../deps.js';
import { acceptedPasskeys, relyingParty } from '../../factors/webauthn_options.js';
import { doneNow, forPerson, renderAccount } from '../../http/account.js';
import * as passkeys from '../../store/passkeys.js';

type PasskeysDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = { removed: 'passkeys.done_removed', renamed: 'passkeys.done_renamed' } as const;

export function showPasskeys(deps: PasskeysDeps): Middleware {
  const rp = relyingParty(deps.config);
  return forPerson(deps, async (ctx, session) => {
    const rows = await passkeys.list(deps.db, session.user_id);
    const signal = rp && ['signalAllAcceptedCredentials', acceptedPasskeys(rp, session.user_id, rows)];
    await renderAccount(deps, ctx, session, {
      view: 'account/passkeys',
      title: 'passkeys.title',
      data: {
        passkeys: rows.map(({ id, name, created_at, last_used_at, backup_eligible, stands_alone }) => ({
          ...{ id, name, created_at, last_used_at },
          synced: backup_eligible === 1,
          stands_alone: stands_alone === 1,
        })),
        possible: rp !== null,
        signal: signal && JSON.stringify(signal),
        notice: doneNow(ctx, notices),
      },
    });
  });
}
