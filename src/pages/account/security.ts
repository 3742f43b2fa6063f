/** Second factors, GET and POST /account/security: authenticator apps, recovery codes, and the browsers that are spared them. */
import type { Context, Middleware } from 'koa';
import { forgetDevice } from '../../actions/remembered_devices.js';
import { renameTotp } from '../../actions/second_factors.js';
import type { Deps } from '../../deps.js';
import { countsAsFactor } from '../../factors/email_code.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import type { UserError } from '../../oauth/errors.js';
import { policyOf } from '../../oauth/sign_in_step.js';
import * as credentials from '../../store/credentials.js';
import * as rememberedDevices from '../../store/remembered_devices.js';
import * as secondFactors from '../../store/second_factors.js';
import type { LiveSession } from '../../store/sessions.js';

type SecurityDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = {
  added: 'factor.app_added',
  removed: 'factor.app_removed',
  renamed: 'factor.renamed',
  forgotten: 'factor.device_forgotten',
  codes: 'factor.codes_kept',
} as const;

/** Fewer recovery codes than this are too few to rely on. */
const few_codes = 4;

export function showSecurity(deps: SecurityDeps): Middleware {
  return forPerson(deps, (ctx, session, now) => securityForm(deps, ctx, { session, now, error: null }));
}

export function postSecurity(deps: SecurityDeps): Middleware {
  const { base } = deps.config;
  return postForPerson(
    deps,
    async (ctx, { params, session }) => {
      const own = { id: params.get('id') ?? '', user_id: session.user_id };
      if (params.get('action') === 'forget') {
        await forgetDevice(deps, own);
        return seeOther(ctx, `${base}/account/security?done=forgotten`);
      }
      await renameTotp(deps, own, params.get('name') ?? '');
      seeOther(ctx, `${base}/account/security?done=renamed`);
    },
    (ctx, { session, now }, error) => securityForm(deps, ctx, { session, now, error }),
  );
}

interface SecurityForm {
  readonly session: LiveSession;
  readonly now: number;
  readonly error: UserError | null;
}

async function securityForm(
  deps: SecurityDeps,
  ctx: Context,
  { session, now, error }: SecurityForm,
): Promise<void> {
  const { user_id, roles } = session;
  const factors = await secondFactors.list(deps.db, user_id);
  const codes_left = (await credentials.list(deps.db, user_id, 'recovery_code')).length;
  await renderAccount(deps, ctx, session, {
    view: 'account/security',
    title: 'factor.security',
    data: {
      policy: policyOf(deps.config, roles),
      apps: factors.filter(({ type }) => type === 'totp'),
      by_mail: await countsAsFactor(deps.db, deps.config, user_id),
      has_factor: factors.length > 0,
      codes_left,
      few: codes_left < few_codes,
      devices: await rememberedDevices.list(deps.db, user_id, now),
      notice: doneNow(ctx, notices),
      error,
    },
  });
}
