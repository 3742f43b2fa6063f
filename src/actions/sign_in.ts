/**
 * Signing in, one step after the other. There is a session only when nothing is missing: until then a row of sign_ins holds what was
 * proved, reached by a cookie of its own. Hardening rows 9, 13 and 14.
 *
 * Every first factor calls `beginSignIn` in the transaction of its proof; every second factor goes through `proveFactor`. Both end in
 * `complete`, which alone starts sessions.
 */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { type EmailCodeConfig, hasFactor } from '../factors/email_code.js';
import { giveBack } from '../limits/counters.js';
import * as factorAttempts from '../limits/factor_attempts.js';
import type { SignInVisit } from '../mail/new_device.js';
import { withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import { type PolicyConfig, policyOf, type SignInStep, signInStep } from '../oauth/sign_in_step.js';
import { digest, newId, newSecret } from '../secrets.js';
import type { Db, Trx } from '../store/db.js';
import type { SessionRow } from '../store/sessions.js';
import * as signIns from '../store/sign_ins.js';
import type { UpstreamSession } from '../store/upstream_sessions.js';
import * as users from '../store/users.js';
import { tooMany } from './password_proof.js';
import { isRemembered, rememberDevice } from './remembered_devices.js';
import { type NewSession, type StartedSession, startSession, strengthenSession } from './start_session.js';

const most_attempts = 5;

type MachineConfig = PolicyConfig &
  EmailCodeConfig &
  Pick<
    Config,
    | 'DEFAULT_LANGUAGE'
    | 'mail'
    | 'EVENTS_SECONDS'
    | 'REMEMBER_DEVICE_SECONDS'
    | 'SECOND_FACTOR_GRACE_SECONDS'
    | 'SESSION_IDLE_SECONDS'
    | 'SESSION_MAX_SECONDS'
  >;

/** A first factor that was proved. */
export interface FirstProof extends Omit<NewSession, 'login'> {
  /** The credential it was proved with, of table credentials: what the browser will be known for. Null for any other kind. */
  readonly credential_id: string | null;
  /** The digest of the mark by which this browser is spared the person's second factor (http/remembered_device.ts); null for none. */
  readonly remembered?: string | null;
}

/** What a proof led to: a session, or one more step. */
export type Begun =
  | { readonly session: SignedIn; readonly sign_in: null }
  | { readonly session: null; readonly sign_in: StepAhead };

export interface SignedIn extends StartedSession {
  readonly user_id: string;
  /**
   * Names the user and the credential of ours that they signed in with: what a browser is known for (http/device.ts). Null where a session
   * has only grown stronger.
   */
  readonly login: string | null;
  /** The secret by which this browser is spared the second factor from now on. Null where nobody wanted it. */
  readonly remembered: string | null;
}

export interface StepAhead {
  readonly step: Exclude<SignInStep, 'session'>;
  /** The value of the sign-in's cookie: 256 random bits. */
  readonly cookie: string;
}

/**
 * Goes on from a first factor, in the transaction that proved it: to a session where nothing is missing, else to a row of sign_ins. The
 * caller has locked the user (`users.lock`). Whoever gets a session rings deps.bell after the transaction: another one may have ended.
 */
export async function beginSignIn(
  trx: Trx,
  config: MachineConfig,
  proof: FirstProof,
  now: number,
): Promise<Begun> {
  const { user_id, credential_id, amr, request_id, upstream = null } = proof;
  const step = await stepOf(trx, config, proof, now);
  if (step === 'session') {
    const login = loginOf(proof);
    const started = await startSession(trx, config, { ...proof, login }, now);
    return { session: { ...started, user_id, login, remembered: null }, sign_in: null };
  }
  if (step === 'enrol') await users.beginGrace(trx, user_id, now + config.SECOND_FACTOR_GRACE_SECONDS);
  const row = { user_id, session_id: null, credential_id, amr, request_id, upstream };
  const cookie = await newRow(trx, row, now);
  return { session: null, sign_in: { step, cookie } };
}

/**
 * Asks for a second factor in a session that has too weak a proof for what is wanted (acr). Gives the sign-in under way with its cookie.
 * It ends with the session.
 */
export async function beginStepUp(
  db: Db,
  session: Pick<SessionRow, 'id' | 'user_id' | 'amr'>,
  request_id: string | null,
  now: number,
): Promise<{ readonly cookie: string; readonly sign_in: signIns.LiveSignIn }> {
  const { id: session_id, user_id } = session;
  const amr = session.amr.split(' ');
  const cookie = await db.transaction((trx) =>
    newRow(trx, { user_id, session_id, credential_id: null, amr, request_id, upstream: null }, now),
  );
  const sign_in = await signIns.findLive(db, digest(cookie), now);
  if (sign_in === undefined) throw ended();
  return { cookie, sign_in };
}

interface NewRow extends Pick<signIns.NewSignIn, 'user_id' | 'session_id' | 'credential_id'> {
  readonly amr: readonly string[];
  readonly request_id: string | null;
  readonly upstream: UpstreamSession | null;
}

async function newRow(trx: Trx, { amr, request_id, upstream, ...row }: NewRow, now: number): Promise<string> {
  const cookie = newSecret();
  await signIns.insert(trx, {
    ...{ ...row, id: newId(), token_hash: digest(cookie), amr: amr.join(' '), auth_request: request_id },
    upstream: upstream === null ? null : JSON.stringify(upstream),
    ...{ created_at: now, expires_at: now + signIns.lives_seconds },
  });
  return cookie;
}

async function stepOf(
  trx: Trx,
  config: MachineConfig,
  { user_id, amr, remembered: token_hash = null }: Pick<FirstProof, 'user_id' | 'amr' | 'remembered'>,
  now: number,
): Promise<SignInStep> {
  const user = await users.find(trx, user_id);
  const has_factor = await hasFactor(trx, config, user_id);
  const remembered = has_factor && (await isRemembered(trx, config, { user_id, token_hash }, now));
  return signInStep({ amr, policy: policyOf(config, user?.roles ?? ''), has_factor, remembered });
}

/** A way to prove a second factor. */
export interface FactorProof {
  /**
   * Where attempts are counted: what can be guessed for the account as well, so that starting over does not help; a recovery code, which
   * cannot, for this sign-in; the signature of a passkey nowhere. So nobody who guesses takes the owner's other ways away (row 15).
   */
  readonly counted: 'account' | 'sign_in' | 'nowhere';
  /**
   * Checks the proof, and uses it up, in the transaction that it leads to a session in. Gives what it proves (RFC 8176); null, or the
   * error that says more, where it is wrong. Nothing slow: a signature is verified before.
   */
  verify(trx: Trx, sign_in: signIns.SignInRow): Promise<readonly string[] | UserError | null>;
}

/** What the browser brings along. */
export interface Here {
  readonly current: NewSession['current'];
  readonly visit: SignInVisit;
  /** Whether the person wants this browser to be spared their second factor from now on. */
  readonly remember?: boolean;
}

/**
 * Proves a second factor and completes the sign-in: of any number at the same moment one gets the session. The attempt is counted before
 * the check, in the same transaction. Throws UserError `wrong_credentials`, `too_many_attempts`, or `form_expired` where the sign-in is
 * over.
 */
export async function proveFactor(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'log'>,
  sign_in: signIns.SignInRow,
  { proof, here }: { readonly proof: FactorProof; readonly here: Here },
  now: number,
): Promise<SignedIn> {
  const proved = await deps.db.transaction(async (trx) => {
    const reserved = await reserve(trx, proof.counted, sign_in, now);
    if (reserved instanceof UserError) return reserved;
    const amr = await proof.verify(trx, sign_in);
    if (amr === null || amr instanceof UserError) return amr ?? wrong(); // returned, so that the attempt stays counted
    await giveBack(trx, reserved);
    return complete(trx, deps.config, { sign_in, amr: withFactor(sign_in.amr.split(' '), amr), here }, now);
  });
  const { user_id } = sign_in;
  if (proved instanceof UserError) {
    deps.log.info({ event: 'factor_failed', user_id, reason: proved.code }, 'a second factor was refused');
    throw proved;
  }
  deps.bell.ring(); // a session may have ended, and mail may wait
  deps.log.info({ event: 'signed_in', user_id, sid: proved.session_id }, 'signed in with a second factor');
  return proved;
}

/** Gives what is taken back of a right proof: the attempts of a sign-in are not. */
async function reserve(
  trx: Trx,
  counted: FactorProof['counted'],
  { id, user_id }: signIns.SignInRow,
  now: number,
): Promise<UserError | readonly string[]> {
  if (counted === 'nowhere') return [];
  if (!(await signIns.reserve(trx, { id, now, limit: most_attempts })))
    return new UserError('too_many_attempts', 'factor.too_many_codes', null);
  if (counted === 'sign_in') return [];
  const reservation = await factorAttempts.reserve(trx, user_id, now);
  return reservation.allowed ? reservation.key_hashes : tooMany(reservation);
}

/** Uses the sign-in up and gives its session: the one function that does. Throws UserError `form_expired` where it is over. */
async function complete(
  trx: Trx,
  config: MachineConfig,
  { sign_in, amr, here }: { sign_in: signIns.SignInRow; amr: readonly string[]; here: Here },
  now: number,
): Promise<SignedIn> {
  const { user_id } = sign_in;
  const mine = (await users.lock(trx, user_id)) ? await signIns.consume(trx, sign_in, now) : undefined;
  if (mine === undefined) throw ended();
  if (mine.session_id !== null) {
    if (here.current?.id !== mine.session_id) throw ended();
    const stronger = await strengthenSession(trx, here.current, amr, now);
    return { ...stronger, user_id, login: null, remembered: null };
  }
  const { auth_request: request_id } = mine;
  const upstream = mine.upstream === null ? null : (JSON.parse(mine.upstream) as UpstreamSession); // newRow wrote it
  const { current, visit } = here;
  const login = loginOf(mine);
  const proved = { user_id, amr, current, visit, request_id, login, upstream };
  const started = await startSession(trx, config, proved, now);
  const wanted = here.remember === true && amr.includes('mfa');
  const remembered = wanted ? await rememberDevice(trx, config, { user_id, visit }, now) : null;
  return { ...started, user_id, login, remembered };
}

/**
 * Goes on without setting up a second factor, as long as that may be put off. Throws UserError `not_allowed` where it may not any more, or
 * there is one to prove; `form_expired` where the sign-in is over.
 */
export async function putOffFactor(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'log'>,
  sign_in: signIns.SignInRow,
  here: Here,
  now: number,
): Promise<SignedIn> {
  const { user_id } = sign_in;
  const amr = sign_in.amr.split(' ');
  const put_off = await deps.db.transaction(async (trx) => {
    const due_at = (await users.find(trx, user_id))?.factor_due_at ?? 0;
    const step = await stepOf(trx, deps.config, { user_id, amr, remembered: null }, now);
    if (step === 'factor' || (step === 'enrol' && due_at <= now))
      throw new UserError('not_allowed', 'factor.must_enrol');
    return complete(trx, deps.config, { sign_in, amr, here }, now);
  });
  if (here.current !== null && here.current.id !== put_off.session_id) deps.bell.ring();
  deps.log.info(
    { event: 'signed_in', user_id, sid: put_off.session_id },
    'signed in, a second factor put off',
  );
  return put_off;
}

/** Forgets the sign-in under way of a browser: the person starts over. */
export async function abandonSignIn(deps: Pick<Deps, 'db'>, sign_in: signIns.SignInRow): Promise<void> {
  await signIns.remove(deps.db, sign_in.token_hash);
}

function loginOf({ user_id, credential_id }: Pick<signIns.SignInRow, 'user_id' | 'credential_id'>): string {
  return credential_id === null ? user_id : loginName(user_id, credential_id);
}

/**
 * A browser is known for a user until their password changes: else who knew the old one could have made any number of known
 * browsers, each with a counter of its own.
 */
export function loginName(user_id: string, credential_id: string): string {
  return `${user_id} ${credential_id}`;
}

function wrong(): UserError {
  return new UserError('wrong_credentials', 'factor.wrong_code', 'code');
}

function ended(): UserError {
  return new UserError('form_expired', 'factor.over');
}
