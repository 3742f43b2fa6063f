/**
 * POST /users/login: an application of the operator's own takes email and password itself. Same gates, sessions, authorizations and
 * tokens as the login page and the token endpoint. Decisions 29; hardening rows 14–16.
 */
import type { Middleware } from 'koa';
import { type DirectGrant, grantDirectly } from '../actions/direct_grants.js';
import { signOut } from '../actions/sessions.js';
import { type SignedIn, signIn } from '../actions/sign_in.js';
import type { Deps } from '../deps.js';
import { parseNetworks } from '../http/client_address.js';
import { knownDevice, rememberDevice } from '../http/device.js';
import { readJson } from '../http/read.js';
import { readResources } from '../http/resources.js';
import { visitOf } from '../http/visit.js';
import type { KeyRing } from '../keys/keys.js';
import { sourceOf } from '../limits/attempts.js';
import { wordsToApprove } from '../oauth/authorization.js';
import { noClaims } from '../oauth/claims_request.js';
import { assertNothingMissing, directScope, type Mode, readMode } from '../oauth/direct_sign_in.js';
import { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { digest } from '../secrets.js';
import type { Client } from '../store/clients.js';
import * as sessions from '../store/sessions.js';
import { audienceOf } from '../tokens/audience.js';
import { assertForCookie, assertFrom, type CallerDeps, readClient } from './caller.js';
import { endFormer } from './logout.js';
import { answerTokens } from './tokens.js';

export type LoginDeps = CallerDeps &
  Pick<Deps, 'bell' | 'clock' | 'hashing' | 'keys' | 'log' | 'statusIndices'>;

type Wanted = Omit<DirectGrant, 'session'>;

export function login(deps: LoginDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readJson(ctx);
    const client = await readClient(deps, params, now);
    const mode = readMode(params, ctx.get('origin'));
    assertFrom(ctx, client, mode);
    const ring = await deps.keys.get();
    const wanted = await readWanted(deps, params, { client, mode, ring });

    const visit = visitOf(ctx, trusted);
    const signedIn = await signIn(
      deps,
      {
        email: params.require('email'),
        password: params.require('password'),
        source: sourceOf(visit.address),
        visit,
        device: (login) => knownDevice(ctx, deps.config, ring, login),
        current: null,
        request_id: null,
      },
      now,
    );
    await orEndSession(deps, signedIn, now, async () => {
      const session = await startedSession(deps, wanted, signedIn, now);
      if (mode === 'cookie') await endFormer(deps, ctx, client, now);
      const granted = await grantDirectly(deps, { ...wanted, session }, now);
      await answerTokens(deps, ctx, { client, granted, mode, ring, now });
      rememberDevice(ctx, deps.config, ring, signedIn.login);
    });
  };
}

/** What is asked for, judged before the password is: whatever is wrong with it says nothing about a person. */
async function readWanted(
  deps: LoginDeps,
  params: Params,
  { client, mode, ring }: { readonly client: Client; readonly mode: Mode; readonly ring: KeyRing },
): Promise<Wanted> {
  const scope = directScope(client, params.get('scope'));
  const { resources, requested_resources } = await readResources(deps, params);
  const access = audienceOf({
    ...{ issuer: deps.config.ISSUER, resources, scope, granted: requested_resources, requested: [] },
    default_resource: client.default_resource,
  });
  assertForCookie(mode, access.audience, deps.config.ISSUER);
  return { client, scope, resource: requested_resources, access, ring };
}

/**
 * The session of this sign-in, if nothing is missing beside the password. It has no cookie here: the `token_hash` of its row is that
 * of 256 random bits which nobody keeps, so it is reached by its tokens alone.
 */
async function startedSession(
  deps: LoginDeps,
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
    session: session === undefined ? null : { ...session, sub: session.user_id },
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
  deps: LoginDeps,
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
