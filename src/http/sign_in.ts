/** The sign-in under way of a browser, by its cookie, and where a proof leads. The database holds the cookie's SHA-256. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { hasFactor } from '../factors/email_code.js';
import { policyOf, type SignInStep } from '../oauth/sign_in_step.js';
import { digest } from '../secrets.js';
import type { Db } from '../store/db.js';
import * as signIns from '../store/sign_ins.js';
import { afterSignIn } from './after_sign_in.js';
import { seeOther } from './answer.js';
import { readCookie, setCookie } from './cookies.js';
import { rememberDevice } from './device.js';
import { goOn, type Interaction, requestQuery } from './interaction.js';
import { giveMark } from './remembered_device.js';
import { giveSession } from './session.js';

/**
 * The sign-in under way of this browser; null if there is none, its cookie is nothing of ours, or it is about a session (`session_id`)
 * that is not the browser's.
 */
export async function currentSignIn(
  deps: { readonly db: Db; readonly config: Config },
  ctx: Context,
  session: { readonly id: string } | null,
  now: number,
): Promise<signIns.LiveSignIn | null> {
  const cookie = readCookie(ctx, deps.config, 'sign_in');
  if (cookie === undefined || !/^[A-Za-z0-9_-]{43}$/.test(cookie)) return null;
  const found = await signIns.findLive(deps.db, digest(cookie), now);
  const here = found !== undefined && (found.session_id === null || found.session_id === session?.id);
  return here ? found : null;
}

export function giveSignIn(ctx: Context, config: Config, cookie: string): void {
  setCookie(ctx, config, 'sign_in', cookie, signIns.lives_seconds);
}

export function takeSignIn(ctx: Context, config: Config): void {
  if (readCookie(ctx, config, 'sign_in') !== undefined) setCookie(ctx, config, 'sign_in', '', 0);
}

/** Where each step of a sign-in is done. */
export const stepPages: Readonly<Record<Exclude<SignInStep, 'session'>, string>> = {
  factor: '/factor',
  enrol: '/enrol',
};

/**
 * The step that a sign-in under way waits for: the factor of a person who has one, or that they set one up. Null where neither is
 * demanded any more: the factor was removed meanwhile, say, and the person begins anew.
 */
export async function owedStep(
  { db, config }: { readonly db: Db; readonly config: Config },
  { user_id, roles }: Pick<signIns.LiveSignIn, 'user_id' | 'roles'>,
): Promise<keyof typeof stepPages | null> {
  if (await hasFactor(db, config, user_id)) return 'factor';
  return policyOf(config, roles) === 'required' ? 'enrol' : null;
}

/** Sends the browser to the step that its sign-in waits for. */
export async function goToOwedStep(
  ctx: Context,
  deps: { readonly db: Db; readonly config: Config },
  sign_in: signIns.LiveSignIn,
  interaction: Interaction | null,
): Promise<void> {
  const step = await owedStep(deps, sign_in);
  seeOther(
    ctx,
    `${deps.config.base}${step === null ? '/login' : stepPages[step]}${requestQuery(interaction)}`,
  );
}

/** A session that was started or made stronger, as actions/sign_in.ts gives it. */
interface SignedIn {
  readonly user_id: string;
  readonly cookie: string;
  readonly login: string | null;
  readonly remembered: string | null;
}

/** What a proof led to. */
interface Proved {
  readonly session: SignedIn | null;
  readonly sign_in: { readonly cookie: string; readonly step: keyof typeof stepPages } | null;
}

/** Hands the browser the cookies of a session, and takes that of its sign-in away. */
export async function giveCookies(
  ctx: Context,
  { config, keys }: Pick<Deps, 'config' | 'keys'>,
  { user_id, cookie, login, remembered: secret }: SignedIn,
): Promise<void> {
  const ring = await keys.get();
  takeSignIn(ctx, config);
  giveSession(ctx, config, cookie);
  if (login !== null) rememberDevice(ctx, config, ring, login);
  if (secret !== null) giveMark(ctx, config, ring, { user_id, secret });
}

/**
 * Hands the browser what a proof led to and sends it on: to the next step of the sign-in, or to the authorization endpoint, or to where
 * the person wanted to go where no application waits. Every page that takes a proof ends here.
 */
export async function goOnFrom(
  ctx: Context,
  deps: Pick<Deps, 'config' | 'keys'>,
  { session, sign_in }: Proved,
  interaction: Interaction | null,
): Promise<void> {
  const { config } = deps;
  if (sign_in !== null) {
    giveSignIn(ctx, config, sign_in.cookie);
    return seeOther(ctx, `${config.base}${stepPages[sign_in.step]}${requestQuery(interaction)}`);
  }
  if (session !== null) await giveCookies(ctx, deps, session);
  // Who came from another provider, and proved now who they are here, is asked whether the two are one.
  if (session !== null && readCookie(ctx, config, 'connection') !== undefined) {
    return seeOther(ctx, `${config.base}/upstream/connect${requestQuery(interaction)}`);
  }
  goOnAfter(ctx, deps, interaction);
}

/** Goes on where the person was going before they signed in, or proved who they are. */
export function goOnAfter(ctx: Context, deps: Pick<Deps, 'config'>, interaction: Interaction | null): void {
  if (interaction === null) seeOther(ctx, afterSignIn(ctx, deps.config));
  else goOn(ctx, deps, interaction);
}
