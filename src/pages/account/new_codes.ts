/**
 * New recovery codes, GET and POST /account/security/codes: shown once, and only then put in the place of the old ones. After a second
 * factor was set up in the middle of a sign-in the page carries its request, and leads on to the application.
 */
import type { Context, Middleware } from 'koa';
import { keepCodes, offerCodes, openCodes } from '../../actions/recovery_codes.js';
import type { Deps } from '../../deps.js';
import { forPerson, renderAccount } from '../../http/account.js';
import { afterSignIn } from '../../http/after_sign_in.js';
import { seeOther } from '../../http/answer.js';
import { productName } from '../../http/brand.js';
import { parseNetworks } from '../../http/client_address.js';
import { assertOwnForm } from '../../http/csrf.js';
import { goOn, type Interaction, readInteraction } from '../../http/interaction.js';
import { readForm, readQuery } from '../../http/read.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { submit } from '../../http/submit.js';
import { visitOf } from '../../http/visit.js';
import type { UserError } from '../../oauth/errors.js';
import * as credentials from '../../store/credentials.js';
import * as secondFactors from '../../store/second_factors.js';
import type { LiveSession } from '../../store/sessions.js';

type CodesDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showNewCodes(deps: CodesDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    const params = readQuery(ctx);
    const interaction = await readInteraction(deps, ctx, params, now);
    const after = params.get('after') === 'sign_in' ? 'sign_in' : '';
    if ((await secondFactors.list(deps.db, session.user_id)).length === 0)
      return seeOther(ctx, `${deps.config.base}/account/security`);
    await codesForm(deps, ctx, session, { interaction, after, error: null });
  });
}

export function postNewCodes(deps: CodesDeps): Middleware {
  const { base } = deps.config;
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return forPerson(deps, async (ctx, session, now) => {
    const params = await readForm(ctx);
    const interaction = await readInteraction(deps, ctx, params, now);
    const after = params.get('after') ?? '';
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session.id);
        if (!(await requireFullProof(ctx, deps, session, { now }))) return;
        const ring = await deps.keys.get();
        const { user_id } = session;
        const sealed = params.get('sealed') ?? '';
        if (params.get('action') === 'download')
          return download(ctx, deps, openCodes(ring, sealed, user_id, now));
        await keepCodes({ ...deps, ring }, { user_id, sealed, visit: visitOf(ctx, trusted) }, now);
        if (interaction !== null) return goOn(ctx, deps, interaction);
        seeOther(
          ctx,
          after === 'sign_in' ? afterSignIn(ctx, deps.config) : `${base}/account/security?done=codes`,
        );
      },
      (error) => codesForm(deps, ctx, session, { interaction, after, error }),
    );
  });
}

/** The codes as a file. They do not count before they are kept. */
function download(ctx: Context, { config }: Pick<Deps, 'config'>, codes: readonly string[]): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Disposition', 'attachment; filename="recovery-codes.txt"');
  ctx.type = 'text/plain; charset=utf-8';
  ctx.body = `${[`${productName(ctx, config)} ${config.ISSUER}`, ...codes].join('\n')}\n`;
}

interface CodesForm {
  readonly interaction: Interaction | null;
  readonly after: string;
  readonly error: UserError | null;
}

async function codesForm(
  deps: CodesDeps,
  ctx: Context,
  session: LiveSession,
  { interaction, after, error }: CodesForm,
): Promise<void> {
  const { codes, sealed } = offerCodes(await deps.keys.get(), session.user_id, deps.clock());
  await renderAccount(deps, ctx, session, {
    view: 'account/new_codes',
    title: 'factor.codes',
    data: {
      ...{ codes, sealed, after, error, request: interaction?.sealed ?? null },
      replaces: (await credentials.list(deps.db, session.user_id, 'recovery_code')).length > 0,
    },
  });
}
