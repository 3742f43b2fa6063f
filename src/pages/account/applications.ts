/** Applications with access to one's account, GET and POST /account/applications: what each sees, since when, and taking it back. */
import type { Context, Middleware } from 'koa';
import { withdrawConsent } from '../../actions/consents.js';
import { listApplications, type OwnApplication } from '../../actions/own_applications.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { consentItems } from '../../http/consent_items.js';
import { shownClient } from '../../http/interaction.js';
import { languagesOf } from '../../http/language.js';
import type { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';

type ApplicationsDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys'>;

const notices = { withdrawn: 'account.withdrawn' } as const;

export function showApplications(deps: ApplicationsDeps): Middleware {
  return forPerson(deps, (ctx, session, now) => applicationsForm(deps, ctx, { session, now, error: null }));
}

export function postApplications(deps: ApplicationsDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      const given = { user_id: session.user_id, client_id: params.get('client_id') ?? '' };
      await withdrawConsent(deps, given, visit, now);
      seeOther(ctx, `${deps.config.base}/account/applications?done=withdrawn`);
    },
    (ctx, { session, now }, error) => applicationsForm(deps, ctx, { session, now, error }),
  );
}

interface ApplicationsForm {
  readonly session: LiveSession;
  readonly now: number;
  readonly error: UserError | null;
}

async function applicationsForm(
  deps: ApplicationsDeps,
  ctx: Context,
  { session, now, error }: ApplicationsForm,
): Promise<void> {
  const all = await listApplications(deps, session.user_id, now);
  const resources = await deps.caches.resources();
  const languages = languagesOf(ctx, deps.config, null);
  const shown = ({ client, words, since, last_used_at, offline, asked }: OwnApplication) => ({
    client_id: client.client_id,
    client: shownClient(client, deps.config.base, languages),
    ...{ since, last_used_at, offline, asked },
    titles: consentItems(
      words.filter((word) => word !== 'offline_access'),
      resources,
    ).map(({ title }) => title),
  });
  await renderAccount(deps, ctx, session, {
    view: 'account/applications',
    title: 'account.applications',
    data: { applications: all.map(shown), notice: doneNow(ctx, notices), error },
  });
}
