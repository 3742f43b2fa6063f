/** One of one's passkeys, GET and POST /account/passkeys/edit: its name, and removing it. */
import type { Context, Middleware } from 'koa';
import { loadPasskey, removalOf, removePasskey, renamePasskey } from '../../actions/passkeys.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { parseNetworks } from '../../http/client_address.js';
import { assertOwnForm } from '../../http/csrf.js';
import { languageOf } from '../../http/language.js';
import { readForm, readQuery } from '../../http/read.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { submit } from '../../http/submit.js';
import { visitOf } from '../../http/visit.js';
import type { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';

type PasskeyDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = { added: 'passkeys.done_added' } as const;

export function showPasskey(deps: PasskeyDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    await editForm(deps, ctx, session, { id: readQuery(ctx).get('id') ?? '', typed: null, error: null });
  });
}

export function postPasskey(deps: PasskeyDeps): Middleware {
  const list = `${deps.config.base}/account/passkeys`;
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const { user_id } = session;
    const id = params.get('id') ?? '';
    const name = params.get('name') ?? '';
    const to = `/account/passkeys/edit?${new URLSearchParams({ id })}`;
    if (!(await requireFullProof(ctx, deps, session, { now, to }))) return;
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (params.get('action') === 'remove') {
          const by = { visit: visitOf(ctx, trusted), language: languageOf(ctx, deps.config, null) };
          await removePasskey(deps, { id, user_id, by }, now);
          return seeOther(ctx, `${list}?done=removed`);
        }
        await renamePasskey(deps, { id, user_id, name });
        seeOther(ctx, `${list}?done=renamed`);
      },
      (error) => editForm(deps, ctx, session, { id, typed: name, error }),
    );
  });
}

interface EditForm {
  readonly id: string;
  readonly typed: string | null;
  readonly error: UserError | null;
}

async function editForm(
  deps: PasskeyDeps,
  ctx: Context,
  session: LiveSession,
  { id, typed, error }: EditForm,
): Promise<void> {
  const { user_id } = session;
  const { name } = await loadPasskey(deps.db, { id, user_id });
  await renderAccount(deps, ctx, session, {
    view: 'account/passkey',
    title: 'passkeys.single',
    data: {
      ...{ id, called: name, name: typed ?? name, error },
      removal: await removalOf(deps.db, user_id),
      notice: doneNow(ctx, notices),
    },
  });
}
