/** Accounts at other providers that one can sign in with, GET and POST /account/providers: connect one, take one away. Hardening row 10. */
import type { Context, Middleware } from 'koa';
import { removeIdentity } from '../../actions/federated_identities.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { findProvider, offeredProviders, setOut, showProblem } from '../../http/upstream.js';
import type { UserError } from '../../oauth/errors.js';
import type { Params } from '../../oauth/params.js';
import * as federatedIdentities from '../../store/federated_identities.js';
import * as identityProviders from '../../store/identity_providers.js';
import type { LiveSession } from '../../store/sessions.js';

type ProvidersDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'upstream'>;

const path = '/account/providers';
const notices = { connected: 'upstream.was_connected', removed: 'upstream.was_removed' } as const;

export function showProviders(deps: ProvidersDeps): Middleware {
  return forPerson(deps, (ctx, session) => providersForm(deps, ctx, session, null));
}

export function postProviders(deps: ProvidersDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      if (params.get('action') === 'connect') return connect(deps, ctx, session, params);
      const { id: session_id, user_id } = session;
      const removed = { user_id, session_id, identity_id: params.get('identity') ?? '' };
      await removeIdentity(deps, removed, visit, now);
      seeOther(ctx, `${deps.config.base}${path}?done=removed`);
    },
    (ctx, { session }, error) => providersForm(deps, ctx, session, error),
  );
}

/** To the provider, to come back as whoever one is there. */
async function connect(
  deps: ProvidersDeps,
  ctx: Context,
  session: LiveSession,
  params: Params,
): Promise<void> {
  const provider = await findProvider(deps, params.get('provider'));
  const purpose = { for: 'connect', session_id: session.id } as const;
  await setOut(deps, ctx, provider, { purpose, again: false, login_hint: null }).catch((error: unknown) =>
    showProblem(deps, ctx, error, { provider, back: deps.config.base + path }),
  );
}

async function providersForm(
  deps: ProvidersDeps,
  ctx: Context,
  session: LiveSession,
  error: UserError | null,
): Promise<void> {
  const rows = await federatedIdentities.listByUser(deps.db, session.user_id);
  const known = new Map((await identityProviders.list(deps.db)).map((row) => [row.id, row]));
  const identities = rows.map(({ id, provider_id, label, created_at, last_used_at }) => ({
    ...{ id, label, created_at, last_used_at },
    provider: known.get(provider_id)?.display_name ?? provider_id,
    disabled: known.get(provider_id)?.disabled_at !== null,
  }));
  await renderAccount(deps, ctx, session, {
    view: 'account/providers',
    title: 'upstream.section',
    data: { identities, offered: await offeredProviders(deps), notice: doneNow(ctx, notices), error },
  });
}
