/** Where one is signed in, GET and POST /account/sessions: end one, or all but this one. */
import type { Context, Middleware } from 'koa';
import { endOtherSessions, endOwnSession } from '../../actions/own_sessions.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { languageOf } from '../../http/language.js';
import { takeSession } from '../../http/session.js';
import { shownVisit } from '../../http/shown_visit.js';
import type { UserError } from '../../oauth/errors.js';
import type { LiveSession } from '../../store/sessions.js';
import * as sessions from '../../store/sessions.js';

type SessionsDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'places'>;

const notices = { ended: 'account.session_ended', others_ended: 'account.others_ended' } as const;

export function showSessions(deps: SessionsDeps): Middleware {
  return forPerson(deps, (ctx, session, now) => sessionsForm(deps, ctx, { session, now, error: null }));
}

export function postSessions(deps: SessionsDeps): Middleware {
  const { base } = deps.config;
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      if (params.get('action') === 'end_others') {
        await endOtherSessions(deps, session, visit, now);
        return seeOther(ctx, `${base}/account/sessions?done=others_ended`);
      }
      const id = params.get('session') ?? '';
      await endOwnSession(deps, { id, user_id: session.user_id, from: session.id }, visit, now);
      if (id !== session.id) return seeOther(ctx, `${base}/account/sessions?done=ended`);
      takeSession(ctx, deps.config);
      seeOther(ctx, `${base}/`);
    },
    (ctx, { session, now }, error) => sessionsForm(deps, ctx, { session, now, error }),
  );
}

interface SessionsForm {
  readonly session: LiveSession;
  readonly now: number;
  readonly error: UserError | null;
}

async function sessionsForm(
  deps: SessionsDeps,
  ctx: Context,
  { session, now, error }: SessionsForm,
): Promise<void> {
  const language = languageOf(ctx, deps.config, null);
  const all = await sessions.listByUser(deps.db, session.user_id, now);
  const rows = all.toSorted(
    (a, b) => Number(b.id === session.id) - Number(a.id === session.id) || b.last_seen_at - a.last_seen_at,
  );
  const devices = rows.map(async (row) => ({
    ...{
      id: row.id,
      current: row.id === session.id,
      auth_time: row.auth_time,
      last_seen_at: row.last_seen_at,
    },
    ...(await shownVisit(deps, row, language)),
  }));
  await renderAccount(deps, ctx, session, {
    view: 'account/sessions',
    title: 'account.sessions',
    data: { devices: await Promise.all(devices), notice: doneNow(ctx, notices), error },
  });
}
