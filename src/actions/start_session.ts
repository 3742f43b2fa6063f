/** Sessions begin, and grow stronger, here alone: each time with a new cookie (hardening row 9). */
import type { Config } from '../config.js';
import { type SignInVisit, tellOfNewDevice } from '../mail/new_device.js';
import { acrOf } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as sessions from '../store/sessions.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import * as upstreamSessions from '../store/upstream_sessions.js';
import { endSession } from './end_sessions.js';

type SessionConfig = Pick<
  Config,
  'DEFAULT_LANGUAGE' | 'mail' | 'EVENTS_SECONDS' | 'SESSION_IDLE_SECONDS' | 'SESSION_MAX_SECONDS'
>;

export interface NewSession {
  readonly user_id: string;
  /** What was proved, RFC 8176. */
  readonly amr: readonly string[];
  /** The session that this browser has already. */
  readonly current: Pick<sessions.SessionRow, 'id' | 'token_hash' | 'user_id'> | null;
  /** The authorization request that asked for it. */
  readonly request_id: string | null;
  /** The session at another provider that it comes from. */
  readonly upstream?: UpstreamSession | null;
  /** What the person will know the device by, and whether it is a new one. */
  readonly visit: SignInVisit;
  /** What the browser is known for afterwards. */
  readonly login: string;
}

export interface StartedSession {
  readonly session_id: string;
  /** The value of the session cookie: 256 random bits. */
  readonly cookie: string;
}

/**
 * The same user again keeps the session, its sid and its authorizations, with a new cookie and a new auth_time; another user
 * ends it like a sign-out (decisions 16). The person is told of a browser that is not known. Who calls it has seen to it that
 * nothing is missing (actions/sign_in.ts).
 */
export async function startSession(
  trx: Trx,
  config: SessionConfig,
  { user_id, amr, current, request_id, visit, login, upstream }: NewSession,
  now: number,
): Promise<StartedSession> {
  const cookie = newSecret();
  const { user_agent, address } = visit;
  const absolute_expires_at = now + config.SESSION_MAX_SECONDS;
  const fresh = {
    ...{ token_hash: digest(cookie), user_id, amr: amr.join(' '), acr: acrOf(amr) },
    ...{ auth_time: now, proven_at: now, auth_request: request_id },
    ...{ selected_at: now, selected_request: request_id, created_at: now, last_seen_at: now },
    expires_at: Math.min(now + config.SESSION_IDLE_SECONDS, absolute_expires_at),
    absolute_expires_at,
    ...{ user_agent, address },
  };
  const again =
    current?.user_id === user_id &&
    (await sessions.renew(trx, { ...fresh, id: current.id }, current.token_hash));
  const id = again && current ? current.id : newId();
  if (again) await authorizations.keep(trx, id, absolute_expires_at);
  else {
    if (current) await endSession(trx, current.id, now);
    await sessions.insert(trx, { ...fresh, id });
  }
  if (upstream) await upstreamSessions.upsert(trx, { ...upstream, session_id: id, created_at: now });
  await tellOfNewDevice(trx, config, { user_id, login, visit }, now);
  const event = { type: 'signed_in', user_id, session_id: id, visit: { user_agent, address } } as const;
  await events.record(trx, event, now, config.EVENTS_SECONDS);
  return { session_id: id, cookie };
}

/**
 * The person of a session proved at `proven_at` who they are: `amr` is all that is proved now. Row, sid and auth_time stay. Throws UserError
 * `form_expired` where the session ended, or got another cookie, meanwhile.
 */
export async function strengthenSession(
  trx: Trx,
  session: Pick<sessions.SessionRow, 'id' | 'token_hash'>,
  amr: readonly string[],
  proven_at: number,
): Promise<StartedSession> {
  const cookie = newSecret();
  const proved = { id: session.id, amr: amr.join(' '), acr: acrOf(amr), proven_at };
  const stronger = { ...proved, token_hash: digest(cookie), before: session.token_hash };
  if (!(await sessions.strengthen(trx, stronger)))
    throw new UserError('form_expired', 'common.session_changed');
  return { session_id: session.id, cookie };
}
