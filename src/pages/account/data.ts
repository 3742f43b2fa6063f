/** One's data, GET /account/data and /account/data/download: a copy of all of it as JSON, and the way to delete the account. */
import type { Middleware } from 'koa';
import { exportData } from '../../actions/account_data.js';
import type { Deps } from '../../deps.js';
import { forPerson, keptUntil, renderAccount } from '../../http/account.js';
import { json, seeOther } from '../../http/answer.js';
import { parseNetworks } from '../../http/client_address.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { visitOf } from '../../http/visit.js';

type DataDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showData(deps: DataDeps): Middleware {
  return forPerson(deps, (ctx, session, now) =>
    renderAccount(deps, ctx, session, {
      view: 'account/data',
      title: 'account.data',
      data: { until: keptUntil(deps.config, now) },
    }),
  );
}

/** The file. From another site's page nobody is made to take it; who has to prove who they are comes back to the page before it. */
export function downloadData(deps: DataDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  const { base } = deps.config;
  return forPerson(deps, async (ctx, session, now) => {
    const site = ctx.get('sec-fetch-site');
    if (site !== '' && site !== 'same-origin' && site !== 'none')
      return seeOther(ctx, `${base}/account/data`);
    if (!(await requireFullProof(ctx, deps, session, { now, to: '/account/data' }))) return;
    const data = await exportData(deps, session.user_id, visitOf(ctx, trusted), now);
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Disposition', 'attachment; filename="account.json"');
    json(ctx, data);
  });
}
