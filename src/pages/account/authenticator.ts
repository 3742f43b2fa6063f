/** One more authenticator app, GET and POST /account/security/app, for who has just proved who they are. */
import type { Context, Middleware } from 'koa';
import { addTotp, offerTotp } from '../../actions/totp_enrolment.js';
import type { Deps } from '../../deps.js';
import { forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { productName } from '../../http/brand.js';
import { qrCode } from '../../http/qr_code.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { giveSession } from '../../http/session.js';
import type { UserError } from '../../oauth/errors.js';
import type { Params } from '../../oauth/params.js';
import * as credentials from '../../store/credentials.js';
import type { LiveSession } from '../../store/sessions.js';

type AuthenticatorDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

export function showAuthenticator(deps: AuthenticatorDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    await authenticatorForm(deps, ctx, session, { sealed: undefined, name: '', error: null });
  });
}

export function postAuthenticator(deps: AuthenticatorDeps): Middleware {
  const { base } = deps.config;
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (!(await requireFullProof(ctx, deps, session, { now }))) return;
      const ring = await deps.keys.get();
      const typed = { ...typedIn(params), code: params.get('code') ?? '', visit };
      const { cookie } = await addTotp({ ...deps, ring }, session, typed, now);
      giveSession(ctx, deps.config, cookie);
      const codes = await credentials.list(deps.db, session.user_id, 'recovery_code');
      seeOther(ctx, `${base}/account/security${codes.length === 0 ? '/codes' : '?done=added'}`);
    },
    (ctx, { params, session }, error) => authenticatorForm(deps, ctx, session, { ...typedIn(params), error }),
  );
}

function typedIn(params: Params) {
  return { sealed: params.get('sealed') ?? '', name: params.get('name') ?? '' };
}

async function authenticatorForm(
  deps: AuthenticatorDeps,
  ctx: Context,
  session: LiveSession,
  { sealed, name, error }: { sealed: string | undefined; name: string; error: UserError | null },
): Promise<void> {
  const { user_id, email } = session;
  const who = { user_id, email, product: productName(ctx, deps.config) };
  const offer = offerTotp(await deps.keys.get(), who, sealed, deps.clock());
  await renderAccount(deps, ctx, session, {
    view: 'account/authenticator',
    title: 'factor.add_app',
    data: { sealed: offer.sealed, secret: offer.secret, qr: await qrCode(offer.uri), name, error },
  });
}
