/**
 * What the endpoints that sign people in share: what is asked for, what comes of a session, and the handle by which a sign-in goes on
 * that owes a second factor. Decisions 29.
 */
import type { Context } from 'koa';
import { type DirectGrant, grantDirectly } from '../actions/direct_grants.js';
import { signOut } from '../actions/sessions.js';
import type { SignedIn } from '../actions/sign_in.js';
import type { Deps } from '../deps.js';
import { rememberDevice } from '../http/device.js';
import { readResources } from '../http/resources.js';
import type { KeyRing } from '../keys/keys.js';
import { wordsToApprove } from '../oauth/authorization.js';
import { noClaims } from '../oauth/claims_request.js';
import { assertNothingMissing, directScope, type Mode } from '../oauth/direct_sign_in.js';
import { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { digest } from '../secrets.js';
import type { Client } from '../store/clients.js';
import * as sessions from '../store/sessions.js';
import { audienceOf } from '../tokens/audience.js';
import { assertForCookie, type CallerDeps } from './caller.js';
import { endFormer } from './logout.js';
import { answerTokens } from './tokens.js';

export type SignInApiDeps = CallerDeps &
  Pick<Deps, 'bell' | 'clock' | 'hashing' | 'keys' | 'log' | 'statusIndices'>;

export interface Wanted extends Omit<DirectGrant, 'session'> {
  readonly mode: Mode;
}

interface WantedBy {
  readonly client: Client;
  readonly mode: Mode;
  readonly ring: KeyRing;
}

/** What is asked for, judged before any proof is: whatever is wrong with it says nothing about a person. */
export async function readWanted(
  deps: SignInApiDeps,
  params: Params,
  { client, mode, ring }: WantedBy,
): Promise<Wanted> {
  const scope = directScope(client, params.get('scope'));
  const { resources, requested_resources } = await readResources(deps, params);
  const access = audienceOf({
    ...{ issuer: deps.config.ISSUER, resources, scope, granted: requested_resources, requested: [] },
    default_resource: client.default_resource,
  });
  assertForCookie(mode, access.audience, deps.config.ISSUER);
  return { client, mode, scope, resource: requested_resources, access, ring };
}

/** Answers a sign-in that nothing is missing of with its tokens. One that nothing comes of leaves no session behind. */
export async function answerSignedIn(
  deps: SignInApiDeps,
  ctx: Context,
  wanted: Wanted,
  signedIn: SignedIn,
): Promise<void> {
  const now = deps.clock();
  await orEndSession(deps, signedIn, now, async () => {
    const session = await startedSession(deps, wanted, signedIn, now);
    const { client, mode, ring } = wanted;
    if (mode === 'cookie') await endFormer(deps, ctx, client, now);
    const granted = await grantDirectly(deps, { ...wanted, session }, now);
    await answerTokens(deps, ctx, { client, granted, mode, ring, now });
    if (signedIn.login !== null) rememberDevice(ctx, deps.config, ring, signedIn.login);
  });
}

/**
 * The session of this sign-in, if nothing is missing that a request to the authorization endpoint would be asked for. It has no cookie
 * here: the `token_hash` of its row is that of 256 random bits which nobody keeps, so it is reached by its tokens alone.
 */
async function startedSession(
  deps: SignInApiDeps,
  { client, scope, resource }: Wanted,
  { cookie }: SignedIn,
  now: number,
): Promise<sessions.LiveSession> {
  const session = await sessions.findLive(deps.db, digest(cookie), now);
  const progress = {
    request_id: '',
    arrived_at: now,
    prompt: [],
    max_age: client.default_max_age ?? null,
    required_subs: null,
    required_acrs: null,
    wanted_acrs: [],
    sign_in: null,
    session: session === undefined ? null : { ...session, sub: session.user_id, reachable_acrs: [] },
    to_approve: wordsToApprove({ scope, resource, claims: noClaims }, client, []),
    consent: null,
    consent_each_time: false, // no redirect URI that another program could have taken
  };
  assertNothingMissing(progress, now);
  if (session === undefined) throw new OAuthError('login_required', 'the session has just ended');
  return session;
}

/** A sign-in that nothing comes of leaves no session behind: nobody could use it, or end it. */
async function orEndSession(
  deps: SignInApiDeps,
  { session_id, user_id }: SignedIn,
  now: number,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await signOut(deps, { id: session_id, user_id }, now);
    throw error;
  }
}
