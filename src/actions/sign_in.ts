/**
 * Signing in with a password. The attempt is counted before the check and given back on success; an unknown address does the
 * same work as a wrong password. A sign-in always gives the browser a new session cookie. Hardening rows 9 and 14–16.
 */
import type { Deps } from '../deps.js';
import { acr, amr, hashPassword, isOutdated, verifyPassword } from '../factors/password.js';
import { giveBack, type Reservation, reserve } from '../limits/attempts.js';
import { busy } from '../limits/hashing_gate.js';
import { UserError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as sessions from '../store/sessions.js';
import * as users from '../store/users.js';
import { endSession } from './end_sessions.js';

export type SignInDeps = Pick<Deps, 'bell' | 'clock' | 'config' | 'db' | 'hashing' | 'log'>;

export interface SignIn {
  readonly email: string;
  readonly password: string;
  /** The client's network. */
  readonly source: string;
  /** What the person will know the device by. */
  readonly visit: events.Visit;
  /** Gives the id of a browser that is known for a login, or null. */
  readonly device: (login: string) => string | null;
  /** The session that this browser has already. */
  readonly current: sessions.SessionRow | null;
  /** The authorization request that asked for it. */
  readonly request_id: string | null;
}

export interface SignedIn {
  readonly user_id: string;
  readonly session_id: string;
  /** Names the user and the password they signed in with: what a browser is known for. */
  readonly login: string;
  /** The value of the session cookie: 256 random bits. */
  readonly cookie: string;
}

/** Throws UserError: `wrong_credentials`, `too_many_attempts` or `busy`. */
export async function signIn(deps: SignInDeps, request: SignIn, now: number): Promise<SignedIn> {
  const { db, config, hashing } = deps;
  // A storm that cannot be answered writes nothing: neither an attempt nor that it is taken back.
  if (hashing.pending >= config.hashing.slots + config.hashing.queue) throw busy();
  const email_canonical = users.canonicalEmail(request.email);
  const user = await users.findByEmail(db, email_canonical);
  const credential = await credentials.find(db, user?.id ?? '', 'password');

  const attempt = {
    account: user?.id ?? email_canonical,
    source: request.source,
    device: request.device(credential ? loginOf(credential) : 'nobody'), // the same work where there is nobody
  };
  const reservation = await db.transaction((trx) => reserve(trx, attempt, config, now));
  if (!reservation.allowed) throw tooMany(reservation);

  const right = await verifyPassword(hashing, config, request.password, credential?.secret).catch(
    async (error: unknown) => {
      await db.transaction((trx) => giveBack(trx, reservation.key_hashes)); // not checked: nothing was guessed
      throw error;
    },
  );
  if (!right || !user || !credential || user.disabled_at !== null) {
    deps.log.info({ event: 'sign_in_failed', source: request.source }, 'sign-in failed');
    throw wrong();
  }

  const renewed = isOutdated(config, credential.secret) ? await renewedHash(deps, request.password) : null;
  const cookie = newSecret();
  const session_id = await db.transaction(async (trx) => {
    await giveBack(trx, reservation.key_hashes);
    // The password was changed, or the user disabled, while it was being checked: then it does not count any more.
    if (!(await users.lock(trx, user.id)) || !(await credentials.lock(trx, credential.id, credential.secret)))
      throw wrong();
    if (renewed !== null) await credentials.renew(trx, credential.id, credential.secret, renewed, now);
    return startSession(trx, deps, { user_id: user.id, cookie, request, now });
  });
  if (request.current !== null && request.current.id !== session_id) deps.bell.ring();
  deps.log.info({ event: 'signed_in', user_id: user.id, sid: session_id }, 'signed in');
  return { user_id: user.id, session_id, login: loginOf(credential), cookie };
}

/** A hash with the parameters now set; null where it cannot be had now. The password was right, so the sign-in goes on. */
async function renewedHash(deps: SignInDeps, password: string): Promise<string | null> {
  try {
    return await hashPassword(deps.hashing, deps.config, password);
  } catch (err) {
    deps.log.info({ err }, 'a password hash was not renewed'); // the queue is full, say: the next sign-in will do it
    return null;
  }
}

/**
 * A browser is known for a user until their password changes: else who knew the old one could have made any number of known
 * browsers, each with a counter of its own.
 */
function loginOf({ user_id, id }: credentials.CredentialRow): string {
  return `${user_id} ${id}`;
}

function wrong(): UserError {
  return new UserError('wrong_credentials', 'The email address or the password is not right.', 'password');
}

function tooMany({ retry_after }: Extract<Reservation, { allowed: false }>): UserError {
  const minutes = Math.ceil(retry_after / 60);
  const message = `Too many failed attempts. Please try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`;
  return new UserError('too_many_attempts', message, null, retry_after);
}

interface NewSession {
  readonly user_id: string;
  readonly cookie: string;
  readonly request: Pick<SignIn, 'current' | 'request_id' | 'visit'>;
  readonly now: number;
}

/**
 * The same user again keeps the session, its sid and its authorizations, with a new cookie and a new auth_time; another user
 * ends it like a sign-out (decisions 16). Returns the session's id.
 */
async function startSession(
  trx: Trx,
  { config }: SignInDeps,
  { user_id, cookie, request, now }: NewSession,
): Promise<string> {
  const { current, visit } = request;
  const absolute_expires_at = now + config.SESSION_MAX_SECONDS;
  const fresh = {
    token_hash: digest(cookie),
    user_id,
    auth_time: now,
    amr,
    acr,
    auth_request: request.request_id,
    selected_at: now,
    selected_request: request.request_id,
    created_at: now,
    last_seen_at: now,
    expires_at: Math.min(now + config.SESSION_IDLE_SECONDS, absolute_expires_at),
    absolute_expires_at,
    ...visit,
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
  const event = { type: 'signed_in', user_id, session_id: id, visit } as const;
  await events.record(trx, event, now, config.EVENTS_SECONDS);
  return id;
}
